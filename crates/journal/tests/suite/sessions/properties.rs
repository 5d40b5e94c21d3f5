//! Any records at all.

use journal::record::{Record, Stamped, Status};
use proptest::prelude::*;
use responses::item::Item;

use super::{Home, home, id, kinds, new, stamped};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~äöü\n\t😀]{0,40}".prop_filter("secrets are changed", |text| !text.contains(['=', ':'])),
        (0_usize..3).prop_map(|size| "long ".repeat(size * 4000))
    ]
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        prop::sample::select(kinds::all()),
        prop::collection::vec(text(), 0..4)
            .prop_map(|texts| Record::Input { items: texts.iter().map(|text| Item::user(text)).collect() }),
        text().prop_map(Record::Title),
        text().prop_map(|how| Record::Waited { how }),
        (text(), any::<u64>()).prop_map(|(text, offset)| Record::Torn { offset, bytes: 1, text }),
        "[a-z]{1,6}".prop_map(|call| kinds::outcome(&call, Status::Done)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_records_are_read_as_they_were_written(records in prop::collection::vec((1_u64..1 << 50, record(), any::<bool>()), 0..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let home = home();
        let mut expected = Vec::new();
        runtime.block_on(async {
            let mut session = home.sessions.create(new(1)).await.unwrap();
            for (at, record, reopen) in records {
                session.append(at, record.clone()).await.unwrap();
                let at = if matches!(record, Record::Unknown { .. }) { 23 } else { at };
                expected.push(Stamped { at, record });
                if reopen {
                    session.close().await.unwrap();
                    session = home.sessions.resume(id(1), 1).await.unwrap().0;
                }
            }
            session.close().await.unwrap();
        });
        prop_assert_eq!(stamped(&home.sessions, id(1)), expected);
        let export = |home: &Home| {
            let mut out = Vec::new();
            home.sessions.export(id(1), &mut out).unwrap();
            out
        };
        let (exported, there) = (export(&home), super::home());
        there.sessions.import(&mut &exported[..]).unwrap();
        prop_assert!(export(&there) == exported, "an export is another after it was imported");
        prop_assert_eq!(home.sessions.verify(id(1)).unwrap().damage, Vec::<String>::new());
    }
}
