//! Each line is one event of a response.

use responses::event::ServerEvent;
use responses::fold::{self, Fold, Folded};

use crate::lines;

/// An event keeps its text and reads the same twice; whatever the events say, their fold ends once, and what it gives
/// is what the same response is when it comes whole.
///
/// # Panics
///
/// If that does not hold.
pub fn server_event(data: &[u8]) {
    let mut fold = Fold::default();
    for line in lines(data) {
        let Ok(event) = ServerEvent::parse(line) else { continue };
        assert_eq!(event.text(), line);
        assert_eq!(ServerEvent::parse(line).as_ref(), Ok(&event));
        let ended = fold.ended();
        let told: Vec<_> = fold.items().map(|(index, item)| (index, item.clone())).collect();
        match fold.push(&event) {
            Ok(Folded::Ended) => assert!(ended.is_none() && fold.ended().is_some(), "ended twice: {line}"),
            Ok(Folded::Item(index, item)) => {
                assert!(told.iter().all(|(other, _)| *other != index), "an item whole twice: {line}");
                assert!(fold.items().any(|(at, kept)| at == index && *kept == item), "an item not kept: {line}");
            }
            Ok(Folded::More | Folded::Repeat) => assert_eq!(fold.ended(), ended, "{line}"),
            // A chain goes no further with it.
            Err(_) => return,
        }
    }
    finished(fold);
}

fn finished(fold: Fold) {
    let ended = fold.ended();
    let Ok(response) = fold.finish() else { return };
    assert_eq!(Some(response.stage()), ended);
    let text = response.json().text();
    let again = fold::whole(text);
    assert!(again.is_ok(), "a finished response cannot be read: {again:?}: {text}");
    let Ok(again) = again else { return };
    assert_eq!((again.id(), again.stage()), (response.id(), response.stage()));
    assert_eq!(again.output(), response.output());
    assert_eq!(again.usage(), response.usage());
}
