//! How large a conversation is, where nobody counts.

use responses::item::{Content, Item, ItemKind, ItemView, Part};
use responses::json::Json;
use responses::request::Request;

/// How many bytes make a token. Less for English prose, more for code in one line; the frame of an item counts too.
const BYTES_PER_TOKEN: usize = 4;

/// What an image counts, whatever its size.
const IMAGE_TOKENS: usize = 1_500;

/// An estimate of the tokens of a conversation and of what is told with it: instructions, tools, the form of the answer.
/// Bytes of text by four, and a flat figure for each image.
pub(crate) fn estimate_tokens(items: &[Item], request: &Request) -> u64 {
    let prompt = &request.prompt;
    let told = [&prompt.instructions, &prompt.tools, &prompt.text].into_iter().flatten();
    let told: usize = told.filter(|json| !json.is_null()).map(|json| json.text().len()).sum();
    tokens(told) + items.iter().map(item_tokens).sum::<u64>()
}

/// The same for one item.
pub(super) fn item_tokens(item: &Item) -> u64 {
    let bytes = item.text().len();
    let image = IMAGE_TOKENS * BYTES_PER_TOKEN;
    tokens(match item.view() {
        ItemView::Message(message) => without_images(bytes, &message.content, image),
        ItemView::FunctionCallOutput(output) | ItemView::CustomToolCallOutput(output) => {
            without_images(bytes, &output.output, image)
        }
        _ if matches!(item.kind(), ItemKind::ComputerCallOutput | ItemKind::ImageGenerationCall) => image,
        _ => bytes,
    })
}

fn without_images(bytes: usize, content: &Content<'_>, image: usize) -> usize {
    let Content::Parts(parts) = content else { return bytes };
    let images = parts.iter().filter(|part| matches!(part, Part::InputImage { .. }));
    images.fold(bytes, |bytes, part| bytes.saturating_sub(Json::of(part).text().len()) + image)
}

fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}
