//! Long strings beside the log.

use journal::blobs::{Detached, INLINE_MAX, Lost, attach, detach, references};
use journal::log::MAX_BODY;
use journal::record::{Record, Stamped};
use journal::sessions::Step;
use proptest::prelude::*;
use responses::item::Item;

use super::{home, id, new, said, stamped};

/// A record comes back from its line and its blobs.
fn round_trip(text: &str) -> Detached {
    let detached = detach(text);
    assert!(detached.line.len() <= MAX_BODY && !detached.line.contains('\n'));
    assert_eq!(references(&detached.line), detached.blobs.iter().map(|(reference, _)| *reference).collect::<Vec<_>>());
    let find = |wanted| {
        let found = detached.blobs.iter().find(|(reference, _)| *reference == wanted);
        found.map(|(_, text)| text.clone()).ok_or(Lost::Missing)
    };
    let attached = attach(&detached.line, find);
    assert_eq!((attached.text.as_str(), attached.lost), (text, vec![]));
    detached
}

#[test]
fn a_string_that_looks_like_a_reference_is_none() {
    for inner in ["@blob ", "@blob x", "@@blob x", "@@@@blob ", "@ blob", "@blob", "@body", "blob @blob "] {
        let alone = format!("{{\"{inner}\":\"{inner}\"}}");
        for text in [format!("{{\"a\":\"{inner}\"}}"), format!("{{\"{inner}\":[\"{inner}\",1]}}"), alone] {
            round_trip(&text.replace(':', ":\n"));
            assert_eq!(round_trip(&text).blobs, []);
        }
        let long = format!("{{\"a\":\"{inner}{}\"}}", "x".repeat(INLINE_MAX));
        assert_eq!(round_trip(&long).blobs.len(), 1);
    }
    let reference = round_trip(&format!("{{\"a\":\"{}\"}}", "x".repeat(INLINE_MAX + 1))).line;
    assert_eq!(round_trip(&reference).blobs, [], "a line is a record like any other");
}

#[test]
fn the_bound_is_exact_and_many_short_strings_are_one_long_one() {
    assert_eq!(round_trip(&format!("[\"{}\"]", "x".repeat(INLINE_MAX))).blobs.len(), 0);
    assert_eq!(round_trip(&format!("[\"{}\"]", "x".repeat(INLINE_MAX + 1))).blobs.len(), 1);
    let many = format!("{{\"at\":5,\"kind\":\"input\",\"items\":[{}\"\"]}}", "\"0123456789\\n\",".repeat(100_000));
    let detached = round_trip(&many);
    assert_eq!(detached.blobs.len(), 1);
    assert!(detached.line.starts_with("{\"at\":5,\"kind\":\"input\",\"@body\":\"@blob "), "{}", detached.line);
}

#[test]
fn a_line_break_between_the_parts_of_an_item_comes_back() {
    let item = "{\n  \"type\": \"message\",\r\n\t\"role\":\"user\",\"content\":\"a\\nb\"\n}";
    let record = Record::Input { items: vec![Item::parse(item).unwrap()] };
    let text = record.text(5);
    round_trip(&text);
    let long = item.replace("a\\nb", &"y".repeat(INLINE_MAX + 1));
    round_trip(&Record::Input { items: vec![Item::parse(&long).unwrap()] }.text(5));
}

fn json() -> impl Strategy<Value = String> {
    let string = prop_oneof![
        "[a-z@ \\\\\"\n\u{1}ä😀]{0,12}",
        (0_usize..3, "@{0,3}(blob |body)?[a-z]{0,3}").prop_map(|(long, text)| text + &"x".repeat(long * INLINE_MAX)),
    ];
    let quoted = string.prop_map(|text| {
        let mut out = String::new();
        responses::json::quote(&text, &mut out);
        out
    });
    let leaf = prop_oneof![quoted.clone(), Just("null".to_owned()), Just("-1.50e3".to_owned())];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|parts| format!("[{}]", parts.join(" ,\n")));
        let object = prop::collection::vec((quoted.clone(), inner), 0..4).prop_map(|fields| {
            let fields: Vec<_> = fields.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
            format!("{{{}}}", fields.join(","))
        });
        prop_oneof![array, object]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_record_comes_back_byte_for_byte(json in json()) {
        round_trip(&json);
    }
}

#[tokio::test]
async fn equal_strings_are_kept_once_and_a_lost_one_is_named_while_the_rest_is_read() {
    let home = home();
    let session = home.sessions.create(new(1)).await.unwrap();
    let image = format!("data:image/png;base64,{}", "A".repeat(3 * INLINE_MAX));
    let other = "word ".repeat(INLINE_MAX);
    for text in ["before", &image, &image, &other, "after"] {
        session.append(1, said(text)).await.unwrap();
    }
    session.close().await.unwrap();
    let folder = home.sessions.folder().join(id(1).to_string()).join("blobs");
    let files = || -> Vec<_> {
        let fans = std::fs::read_dir(&folder).unwrap();
        fans.flat_map(|fan| std::fs::read_dir(fan.unwrap().path()).unwrap()).map(|file| file.unwrap().path()).collect()
    };
    assert_eq!(files().len(), 2);
    assert_eq!(stamped(&home.sessions, id(1))[1].record, said(&image));
    let of_image = files().into_iter().find(|file| std::fs::read(file).unwrap().starts_with(b"data:")).unwrap();
    for spoil in [true, false] {
        if spoil {
            std::fs::write(&of_image, "A".repeat(image.len())).unwrap();
        } else {
            std::fs::remove_file(&of_image).unwrap();
        }
        let steps: Vec<_> = home.sessions.read(id(1)).unwrap().map(Result::unwrap).collect();
        let lost: Vec<_> = steps
            .iter()
            .map(|step| match step {
                Step::Entry(entry) => entry.lost.iter().map(|(_, why)| why.clone()).collect::<Vec<_>>(),
                Step::Damage { .. } => panic!("{step:?}"),
            })
            .collect();
        let why = if spoil { Lost::Damaged } else { Lost::Missing };
        assert_eq!(lost, [vec![], vec![], vec![why.clone()], vec![why], vec![], vec![]]);
        let Step::Entry(entry) = &steps[2] else { panic!() };
        assert!(entry.text.contains(&format!("[lost: {} bytes, ", image.len())), "{}", entry.text);
        assert_eq!(home.sessions.verify(id(1)).unwrap().damage.len(), 2);
    }
    let session = home.sessions.resume(id(1), 5).await.unwrap().0;
    session.append(6, said(&image)).await.unwrap();
    session.close().await.unwrap();
    assert_eq!(home.sessions.verify(id(1)).unwrap().damage, [] as [&str; 0], "said again, it is there again");
    assert_eq!(stamped(&home.sessions, id(1)).iter().filter(|at| at.record == said(&image)).count(), 3);
    let Stamped { record, .. } = stamped(&home.sessions, id(1)).remove(3);
    assert_eq!(record, said(&other));
}
