//! What a model is to see of a conversation that was compacted.

use std::borrow::Cow;
use std::collections::HashSet;

use responses::error::ApiError;
use responses::item::{Item, ItemKind, ItemView, Role};
use responses::json::Object;

use super::checkpoint::{Checkpoint, Covers, gist};
use crate::Owner;
use crate::seal::{NotOurs, Seal};

/// What stands above a summary.
const HEADING: &str = include_str!("heading.txt");

/// A conversation as a model is to see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Opened {
    /// The items.
    pub(crate) items: Vec<Item>,
    /// How many at the end are new since the previous response. All of them, if what is before the new ones was rewritten.
    pub(crate) new_items: usize,
    /// Which of them is a summary of ours.
    pub(super) summary: Option<usize>,
    /// Whether a trigger was the last item.
    pub(super) trigger: bool,
    /// What it was before.
    pub(super) covers: Covers,
}

/// Opens the latest compaction item of ours, and takes out triggers. Of the items, so many at the end are new.
///
/// An item that another service sealed is left to a `native` backend, one that can open it.
pub(crate) fn opened(
    items: Vec<Item>,
    new_items: usize,
    seal: &Seal,
    owner: &Owner,
    native: bool,
) -> Result<Opened, ApiError> {
    let (covers, trigger) = (Covers::of(&items), items.last().is_some_and(is_trigger));
    let known = items.len().saturating_sub(new_items);
    let Some((at, checkpoint)) = latest(&items, seal, owner, native)? else {
        let new_items = items.iter().skip(known).filter(|item| !is_trigger(item)).count();
        let items = items.into_iter().filter(|item| !is_trigger(item)).collect();
        return Ok(Opened { items, new_items, summary: None, trigger, covers });
    };
    let (before, after) = items.split_at_checked(at).unwrap_or_default();
    let (mut items, summary) = laid_out(before, checkpoint);
    let later = after.iter().enumerate().skip(1).filter(|(_, item)| !is_trigger(item));
    let new_later = later.clone().filter(|(place, _)| at + place >= known).count();
    items.extend(later.map(|(_, item)| item.clone()));
    let new_items = if at < known { new_later } else { items.len() };
    Ok(Opened { items, new_items, summary: Some(summary), trigger, covers })
}

/// Where the latest compaction item of ours is, and what it holds.
fn latest(items: &[Item], seal: &Seal, owner: &Owner, native: bool) -> Result<Option<(usize, Checkpoint)>, ApiError> {
    for (at, item) in items.iter().enumerate().rev() {
        let Some(sealed) = sealed(item) else { continue };
        match seal.open(owner, &sealed) {
            Ok(content) => {
                let text = std::str::from_utf8(&content).map_err(|_| closed())?;
                return Ok(Some((at, Checkpoint::read(text).map_err(|_| closed())?)));
            }
            Err(NotOurs::Foreign) if native => {}
            Err(NotOurs::Foreign) => return Err(foreign()),
            Err(NotOurs::Closed) => return Err(closed()),
        }
    }
    Ok(None)
}

/// The sealed content of a compaction item, by any of its names.
fn sealed(item: &Item) -> Option<Cow<'_, str>> {
    // A conversation is long, and all other items are told by their kind alone.
    if !matches!(item.kind(), ItemKind::Compaction | ItemKind::ContextCompaction) {
        return None;
    }
    Object::parse(item.text()).ok()?.read::<Option<_>>("encrypted_content").ok()?
}

/// What takes the place of a compaction item and of all that is before it, and where in it the summary is.
fn laid_out(before: &[Item], checkpoint: Checkpoint) -> (Vec<Item>, usize) {
    let Checkpoint { summary, standing, said, turn, covers } = checkpoint;
    let in_place = covers.is_some_and(|covers| covers == Covers::of(before));
    let kept = before.iter().filter(|item| !in_place && (is_standing(item) || is_said(item)));
    let kept: Vec<Item> = kept.cloned().collect();
    let kinds: HashSet<_> = kept.iter().filter(|item| is_standing(item)).map(Item::kind).collect();
    let gists: HashSet<_> = kept.iter().map(gist).collect();
    let missing = |item: &Item| !gists.contains(&gist(item));
    let leading = kept.iter().take_while(|item| is_standing(item)).count();
    let (leading, rest) = kept.split_at_checked(leading).unwrap_or_default();

    let mut items: Vec<Item> = standing.into_iter().filter(|item| !kinds.contains(&item.kind())).collect();
    items.extend(leading.iter().cloned());
    let place = items.len();
    items.push(Item::message(&Role::Developer, &format!("{HEADING}{summary}")));
    items.extend(said.into_iter().filter(missing));
    items.extend(rest.iter().cloned());
    items.extend(turn.into_iter().filter(missing));
    (items, place)
}

fn is_trigger(item: &Item) -> bool {
    item.kind() == ItemKind::CompactionTrigger
}

/// Whether the item is the operator's: what it says holds until it says otherwise.
pub(super) fn is_standing(item: &Item) -> bool {
    match item.view() {
        ItemView::Message(message) => matches!(message.role, Role::Developer | Role::System),
        ItemView::AdditionalTools(_) | ItemView::ConfigurationUpdate(_) => true,
        _ => false,
    }
}

/// Whether the user said it.
pub(super) fn is_said(item: &Item) -> bool {
    matches!(item.view(), ItemView::Message(message) if message.role == Role::User)
}

fn foreign() -> ApiError {
    refusal(
        "a compaction item of the input was sealed by another service, and the backend of this model cannot open it: use a \
         model of that service, or send the conversation as it was before it was compacted",
    )
}

fn closed() -> ApiError {
    refusal(
        "a compaction item of the input does not open: it was sealed by another gateway or for another API key, or it was \
         changed; send the conversation as it was before it was compacted",
    )
}

fn refusal(message: &str) -> ApiError {
    ApiError::report(400, Some("invalid_compaction"), Some("input"), message)
}
