use responses::item::Item;
use responses::transcript::Transcript;

fn main() {
    let mut transcript = Transcript::default();
    transcript.push(Item::user("a"));
    transcript.items()[0] = Item::user("b");
    transcript.items.clear();
}
