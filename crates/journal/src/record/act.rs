//! Acts, and who wants them, as text and from text.

use std::borrow::Cow;

use policy::act::{Act, Actor, Hash, Role};
use policy::place::Path;
use responses::json::{Object, ObjectWriter, WireError, Write};

use super::read::Hex as Found;
use super::write::Hex;

/// Who wants something.
pub(super) struct Who<'a>(pub(super) &'a Actor);

impl Write for Who<'_> {
    fn write(&self, out: &mut String) {
        let Actor { name, role } = self.0;
        let mut object = ObjectWriter::begin(out);
        object.field("name", name).field("role", role.name());
        object.end();
    }
}

/// Reads who wanted something. A role that is not known here may nothing.
pub(super) fn actor(text: &str) -> Result<Actor, WireError> {
    let object = Object::parse(text)?;
    let role = Role::named(&object.read::<Cow<'_, str>>("role")?).unwrap_or(Role::Auditor);
    Ok(Actor { name: string(&object, "name")?, role })
}

/// What is wanted.
pub(super) struct Said<'a>(pub(super) &'a Act);

impl Write for Said<'_> {
    fn write(&self, out: &mut String) {
        let mut object = ObjectWriter::begin(out);
        match self.0 {
            Act::Command { line, cwd } => {
                object.field("kind", "command").field("line", line).field("cwd", cwd.as_str())
            }
            Act::Read { paths } => object.field("kind", "read").field("paths", &texts(paths)),
            Act::Change { writes, deletes, content } => {
                object.field("kind", "change").field("writes", &texts(writes)).field("deletes", &texts(deletes));
                object.field("content", &Hex(*content))
            }
            Act::Connect { host, port } => object.field("kind", "connect").field("host", host).field("port", port),
            Act::Tool { server, name, arguments } => {
                object.field("kind", "tool").field("server", server).field("name", name);
                object.field("arguments", &Hex(*arguments))
            }
            Act::Ask { model, request } => {
                object.field("kind", "ask").field("model", model).field("request", &Hex(*request))
            }
            Act::Spawn { task } => object.field("kind", "spawn").field("task", task),
        };
        object.end();
    }
}

fn texts(paths: &[Path]) -> Vec<Cow<'_, str>> {
    paths.iter().map(|path| Cow::Borrowed(path.as_str())).collect()
}

/// Reads what was wanted.
pub(super) fn read(text: &str) -> Result<Act, WireError> {
    let object = &Object::parse(text)?;
    Ok(match &*object.read::<Cow<'_, str>>("kind")? {
        "command" => Act::Command { line: string(object, "line")?, cwd: Path::absolute(&string(object, "cwd")?) },
        "read" => Act::Read { paths: paths(object, "paths")? },
        "change" => Act::Change {
            writes: paths(object, "writes")?,
            deletes: paths(object, "deletes")?,
            content: hash(object, "content")?,
        },
        "connect" => Act::Connect { host: string(object, "host")?, port: port(object)? },
        "tool" => Act::Tool {
            server: string(object, "server")?,
            name: string(object, "name")?,
            arguments: hash(object, "arguments")?,
        },
        "ask" => Act::Ask { model: string(object, "model")?, request: hash(object, "request")? },
        "spawn" => Act::Spawn { task: string(object, "task")? },
        other => return Err(WireError::Shape { expected: "a kind of act", found: other.to_owned() }),
    })
}

fn string(object: &Object<'_>, key: &'static str) -> Result<String, WireError> {
    object.read::<Cow<'_, str>>(key).map(Cow::into_owned)
}

fn hash(object: &Object<'_>, key: &'static str) -> Result<Hash, WireError> {
    object.read::<Found>(key).map(|Found(hash)| hash)
}

fn paths(object: &Object<'_>, key: &'static str) -> Result<Vec<Path>, WireError> {
    Ok(object.read::<Vec<Cow<'_, str>>>(key)?.iter().map(|path| Path::absolute(path)).collect())
}

fn port(object: &Object<'_>) -> Result<u16, WireError> {
    let number = object.read::<u32>("port")?;
    u16::try_from(number).map_err(|_| WireError::Shape { expected: "a port", found: number.to_string() })
}
