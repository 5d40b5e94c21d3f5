//! Real sockets that are cut.
#![cfg(target_os = "linux")]

use world::soak::soak;

#[tokio::test]
async fn of_conversations_that_were_cut_again_and_again_no_task_and_no_descriptor_is_left() {
    let verdict = soak(300, |_| {}).await.unwrap();
    assert!(verdict.is_clean(), "{verdict:#?}");
    assert!(verdict.end.cuts > 0 && verdict.end.went_on > verdict.end.turns / 2, "{verdict:#?}");
}
