use responses::id::LaneId;

fn main() {
    let _ = LaneId("not a name".into());
}
