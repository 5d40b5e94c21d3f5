use responses::request::{Delivery, Request};

fn main() {}

fn decide(request: Request) {
    let Request { model: _, input: _, previous_response_id: _, retention: _, prompt: _, sampling: _, service: _, delivery } = request;
    let Delivery { stream: _, stream_options: _, background: _, generate: _ } = delivery;
}
