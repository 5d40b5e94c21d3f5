//! Names with many addresses, in time that is made up.

use std::future::pending;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn address(text: &str) -> SocketAddr {
    format!("{text}:443").parse().unwrap()
}

fn addresses(all: &[&str]) -> Vec<SocketAddr> {
    all.iter().map(|text| address(text)).collect()
}

#[test]
fn families_take_turns_and_the_resolvers_first_begins() {
    let four = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    let six = ["[2001:db8::1]", "[2001:db8::2]"];
    let table: [(&[&str], &[&str]); 6] = [
        (&[], &[]),
        (&four, &four),
        (&[six[0], six[1], four[0], four[1]], &[six[0], four[0], six[1], four[1]]),
        (&[four[0], four[1], four[2], six[0], six[1]], &[four[0], six[0], four[1], six[1], four[2]]),
        (&[four[0], six[0], six[1]], &[four[0], six[0], six[1]]),
        (&[six[0], four[0], four[1], four[2]], &[six[0], four[0], four[1], four[2]]),
    ];
    for (found, expected) in table {
        assert_eq!(in_turns(addresses(found), 8), addresses(expected), "{found:?}");
    }
    assert_eq!(in_turns(addresses(&[four[0], four[1], six[0]]), 2), addresses(&[four[0], six[0]]));
}

/// What an address does.
#[derive(Clone, Copy)]
enum Does {
    Hang,
    Refuse(Duration),
    Answer(Duration),
}

/// Races over addresses that do this. Says who won, who was tried when, and how long it took.
async fn raced(all: &[Does]) -> (Result<usize, Vec<(SocketAddr, io::Error)>>, Vec<(usize, Duration)>, Duration) {
    let began = Instant::now();
    let tried = std::cell::RefCell::new(Vec::new());
    let hosts: Vec<_> = (0..all.len()).map(|host| address(&format!("10.0.0.{host}"))).collect();
    let connect = |to: SocketAddr| {
        let host = hosts.iter().position(|host| *host == to).unwrap();
        let does = all[host];
        tried.borrow_mut().push((host, began.elapsed()));
        async move {
            match does {
                Does::Hang => pending().await,
                Does::Refuse(after) => {
                    sleep(after).await;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
                Does::Answer(after) => {
                    sleep(after).await;
                    Ok(host)
                }
            }
        }
    };
    let outcome = race(&hosts, &DialLimits::default(), connect).await;
    (outcome.map(|(host, _)| host), tried.into_inner(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_address_that_answers_is_the_only_one_tried() {
    let (won, tried, took) = raced(&[Does::Answer(100 * MS), Does::Answer(MS)]).await;
    assert_eq!((won.unwrap(), tried, took), (0, vec![(0, Duration::ZERO)], 100 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_second_address_is_tried_250_ms_after_one_that_hangs() {
    let (won, tried, took) = raced(&[Does::Hang, Does::Answer(10 * MS), Does::Answer(MS)]).await;
    assert_eq!((won.unwrap(), tried, took), (1, vec![(0, Duration::ZERO), (1, 250 * MS)], 260 * MS));
}

#[tokio::test(start_paused = true)]
async fn a_slow_address_may_still_win() {
    let (won, tried, took) = raced(&[Does::Answer(300 * MS), Does::Answer(200 * MS)]).await;
    assert_eq!((won.unwrap(), tried, took), (0, vec![(0, Duration::ZERO), (1, 250 * MS)], 300 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_at_once_when_one_fails() {
    let (won, tried, took) = raced(&[Does::Refuse(10 * MS), Does::Refuse(20 * MS), Does::Answer(5 * MS)]).await;
    assert_eq!((won.unwrap(), took), (2, 35 * MS));
    assert_eq!(tried, [(0, Duration::ZERO), (1, 10 * MS), (2, 30 * MS)]);
}

#[tokio::test(start_paused = true)]
async fn an_error_names_all_addresses_and_what_each_said() {
    let (outcome, _, took) = raced(&[Does::Refuse(MS), Does::Hang, Does::Refuse(MS)]).await;
    let error = nobody_answers("api.test", &outcome.unwrap_err());
    assert_eq!(took, DialLimits::default().tcp + MS);
    assert_eq!(error.kind(), TroubleKind::Connect);
    let expected = "api.test: connection refused at 10.0.0.0:443, connection refused at 10.0.0.2:443, \
                    no answer at 10.0.0.1:443";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_all_hang_are_a_matter_of_time() {
    let (outcome, tried, took) = raced(&[Does::Hang, Does::Hang]).await;
    let error = nobody_answers("api.test", &outcome.unwrap_err());
    assert_eq!((error.kind(), tried.len()), (TroubleKind::Timeout, 2));
    assert_eq!(took, DialLimits::default().tcp + 250 * MS);
}

#[tokio::test]
async fn no_addresses_are_no_race() {
    let (outcome, tried, _) = raced(&[]).await;
    assert!(outcome.unwrap_err().is_empty() && tried.is_empty());
}

#[tokio::test]
async fn a_port_without_a_server_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = SystemNetwork::default().connect("127.0.0.1", port).await.err().unwrap();
    assert_eq!(error.kind(), TroubleKind::Connect);
    assert_eq!(error.to_string(), format!("127.0.0.1: connection refused at 127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_name_that_cannot_be_one_is_not_known() {
    let error = SystemNetwork::default().connect("no such name", 443).await.err().unwrap();
    assert_eq!(error.kind(), TroubleKind::Name);
    assert!(error.to_string().starts_with("the name no such name is not known here ("), "{error}");
}
