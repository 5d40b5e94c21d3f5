use responses::chain::Anchor;
use responses::id::ResponseId;

fn main() {
    let _ = Anchor { response: ResponseId::from("resp_1"), covered: 7 };
}
