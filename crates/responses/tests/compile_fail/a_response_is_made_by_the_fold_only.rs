use responses::fold::Response;
use responses::id::ResponseId;

fn main() {
    let _ = Response { id: ResponseId::from("resp_1"), output: Vec::new() };
}
