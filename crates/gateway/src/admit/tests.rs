use futures_util::FutureExt;
use tokio::time::advance;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

const LIMITS: AdmitLimits = AdmitLimits {
    running: NonZeroUsize::MIN,
    waiting: 2,
    per_key_running: NonZeroUsize::MIN,
    per_key_waiting: 2,
    patience: PATIENCE,
};

fn door(running: usize, waiting: usize) -> Admission {
    let running = NonZeroUsize::new(running).unwrap();
    Admission::new(AdmitLimits { running, waiting, per_key_running: running, per_key_waiting: waiting, ..LIMITS })
}

fn alice() -> Owner {
    Owner::of_key("alice")
}

fn load(running: usize, waiting: usize) -> Load {
    Load { running, waiting }
}

#[tokio::test(start_paused = true)]
async fn a_turn_comes_when_a_ticket_is_dropped() {
    let door = door(1, 2);
    let first = door.enter(&alice(), None).unwrap().turn().await.unwrap();
    let mut second = Box::pin(door.enter(&alice(), None).unwrap().turn());
    let mut third = Box::pin(door.enter(&Owner::of_key("bob"), None).unwrap().turn());
    assert!(third.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
    assert_eq!(door.load(), load(1, 2));
    drop(first);
    assert!(third.as_mut().now_or_never().is_none());
    let ticket = second.as_mut().now_or_never().unwrap().unwrap();
    drop((second, ticket));
    assert!(third.as_mut().now_or_never().is_some());
    drop(third);
    assert_eq!(door.load(), load(0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_is_not_waited_for() {
    let door = door(1, 3);
    let ticket = door.enter(&alice(), None).unwrap().turn().await.unwrap();
    // One that was never asked, one that gave up while it waited.
    let never_asked = door.enter(&alice(), None).unwrap();
    let mut gave_up = Box::pin(door.enter(&alice(), None).unwrap().turn());
    let mut stays = Box::pin(door.enter(&alice(), None).unwrap().turn());
    assert!(gave_up.as_mut().now_or_never().is_none() && stays.as_mut().now_or_never().is_none());
    drop(never_asked);
    drop(gave_up);
    assert_eq!(door.load(), load(1, 1));
    drop(ticket);
    assert!(stays.as_mut().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_nobody_takes_goes_to_the_next() {
    let door = door(1, 2);
    let ticket = door.enter(&alice(), None).unwrap().turn().await.unwrap();
    let rung = door.enter(&alice(), None).unwrap();
    let mut next = Box::pin(door.enter(&alice(), None).unwrap().turn());
    drop(ticket);
    assert!(next.as_mut().now_or_never().is_none());
    assert_eq!(door.load(), load(1, 1));
    drop(rung);
    assert!(next.as_mut().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn patience_ends_and_the_place_with_it() {
    let door = door(1, 1);
    let ticket = door.enter(&alice(), None).unwrap().turn().await.unwrap();
    let mut waits = Box::pin(door.enter(&alice(), None).unwrap().turn());
    assert!(waits.as_mut().now_or_never().is_none());
    advance(PATIENCE / 2).await;
    assert!(waits.as_mut().now_or_never().is_none());
    let refused = waits.await.unwrap_err();
    assert_eq!((refused.status, refused.code.as_deref()), (Some(429), Some("rate_limit_exceeded")));
    assert!(refused.message.starts_with("the gateway was busy for as long"), "{}", refused.message);
    assert_eq!(door.load(), load(1, 0));
    drop(ticket);
    assert_eq!(door.load(), load(0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_a_wait_within_bounds_that_follows_how_long_runs_last() {
    let door = door(1, 1);
    let refused = || door.enter(&alice(), None).unwrap_err();
    for (lasts, wait) in [(Duration::ZERO, SHORTEST_WAIT), (Duration::from_hours(1), LONGEST_WAIT)] {
        for _ in 0..64 {
            let ticket = door.enter(&alice(), None).unwrap().turn().await.unwrap();
            advance(lasts).await;
            drop(ticket);
        }
        let held = (door.enter(&alice(), None).unwrap(), door.enter(&alice(), None).unwrap());
        assert_eq!((refused().status, refused().wait), (Some(429), Some(wait)));
        drop(held);
    }
}

#[tokio::test(start_paused = true)]
async fn whose_limit_it_is_can_be_read() {
    let crowded = Admission::new(AdmitLimits { per_key_waiting: 1, ..LIMITS });
    let _held = [(); 2].map(|()| crowded.enter(&alice(), None).unwrap());
    assert!(crowded.enter(&alice(), None).unwrap_err().message.starts_with("this key has"));
    let _held = crowded.enter(&Owner::of_key("bob"), None).unwrap();
    for owner in [alice(), Owner::of_key("bob"), Owner::nobody()] {
        assert!(crowded.enter(&owner, None).unwrap_err().message.starts_with("the gateway is busy"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_on_many_threads_are_never_too_many_and_all_have_their_turn() {
    let door = door(3, 400);
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..300_u32 {
        let door = door.clone();
        runs.spawn(async move {
            let place = door.enter(&Owner::of_key(&(number % 7).to_string()), NonZeroUsize::new(2)).unwrap();
            if number % 5 == 0 {
                drop(place);
                return None;
            }
            let _ticket = place.turn().await.unwrap();
            let running = door.load().running;
            tokio::task::yield_now().await;
            Some(running)
        });
    }
    let ran: Vec<usize> = runs.join_all().await.into_iter().flatten().collect();
    assert_eq!(ran.len(), 240);
    assert!(ran.iter().all(|running| (1..=3).contains(running)), "{ran:?}");
    assert_eq!(door.load(), load(0, 0));
    assert_eq!(door.0.change(|desk| desk.bells.len()), 0);
}
