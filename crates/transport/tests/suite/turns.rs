//! Turns over real sockets and real HTTP.

use responses::chain::{Mode, Transport};

use crate::support::{ALL, Talk, answered, client, counting};

#[tokio::test]
async fn over_a_socket_only_what_is_new_is_sent() {
    let model = counting().await;
    let client = client(&model.base_url(), ALL);
    let mut talk = Talk::with(&client, Mode::Auto);
    for number in 0..3 {
        let outcome = talk.turn(&format!("word {number}")).await;
        assert!(answered(&outcome), "{outcome:?}");
    }
    assert_eq!(talk.sent(), [(Transport::WebSocket, 1); 3]);
}

#[tokio::test]
async fn over_http_everything_is_sent_each_time() {
    let model = counting().await;
    let client = client(&model.base_url(), ALL);
    let mut talk = Talk::with(&client, Mode::Http);
    for number in 0..3 {
        assert!(answered(&talk.turn(&format!("word {number}")).await));
    }
    assert_eq!(talk.sent(), [(Transport::Http, 1), (Transport::Http, 3), (Transport::Http, 5)]);
    drop(talk);
}
