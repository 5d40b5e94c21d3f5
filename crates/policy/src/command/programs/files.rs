//! Programs that make, change, copy and remove files.

use super::Program;
use crate::command::call::Call;
use crate::command::field::{Field, Rest};
use crate::command::options::Means::{Deep, Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Operands, Opt, Spec, flag, maybe, value};
use crate::effects::Nature;
use crate::place::Path;

const fn changes(options: &'static [Opt], operands: Operands) -> Spec {
    Spec { nature: Nature::Targets, options, operands, strict: true }
}

static RM: Spec = changes(
    &[
        flag("r R recursive", Deep),
        flag("f force i I v verbose d dir one-file-system", Nothing),
        maybe("interactive", Nothing),
        maybe("preserve-root", Nothing),
        flag("no-preserve-root", Nothing),
    ],
    Operands::Deletes,
);
static RMDIR: Spec = changes(&[flag("p parents v verbose ignore-fail-on-non-empty", Nothing)], Operands::Deletes);
static UNLINK: Spec = changes(&[], Operands::Deletes);
static SHRED: Spec = changes(
    &[
        flag("u f v z x force verbose zero exact remove", Nothing),
        value("n iterations s size", Nothing),
        value("random-source", Reads),
    ],
    Operands::Deletes,
);
static MKDIR: Spec = changes(
    &[flag("p parents v verbose", Nothing), value("m mode", Nothing), maybe("Z context", Nothing)],
    Operands::Writes,
);
static TOUCH: Spec = changes(
    &[
        flag("a c m h f no-create no-dereference", Nothing),
        value("d date t time", Nothing),
        value("r reference", Reads),
    ],
    Operands::Writes,
);
static TRUNCATE: Spec = changes(
    &[flag("c o no-create io-blocks", Nothing), value("s size", Nothing), value("r reference", Reads)],
    Operands::Writes,
);
static CHMOD: Spec = changes(
    &[
        flag("R recursive", Deep),
        flag("f c v quiet silent verbose changes preserve-root no-preserve-root", Nothing),
        value("reference", Reads),
    ],
    Operands::WritesAfterFirst,
);
static CHOWN: Spec = changes(
    &[
        flag("R recursive", Deep),
        flag("f c v h H L P quiet silent verbose changes no-dereference dereference preserve-root", Nothing),
        value("from", Nothing),
        value("reference", Reads),
    ],
    Operands::WritesAfterFirst,
);
static TEE: Spec =
    changes(&[flag("a append i ignore-interrupts p", Nothing), maybe("output-error", Nothing)], Operands::Writes);
static SPLIT: Spec = changes(
    &[
        value("b bytes l lines n number a suffix-length C line-bytes", Nothing),
        value("filter", Unclear("it runs a command for each part")),
        maybe("d x numeric-suffixes hex-suffixes", Nothing),
        value("additional-suffix", Nothing),
    ],
    Operands::Reads,
);

pub(super) fn find(name: &str) -> Option<Program> {
    let spec = match name {
        "rm" => &RM,
        "rmdir" => &RMDIR,
        "unlink" => &UNLINK,
        "shred" => &SHRED,
        "mkdir" | "mkfifo" => &MKDIR,
        "touch" => &TOUCH,
        "truncate" => &TRUNCATE,
        "chmod" => &CHMOD,
        "chown" | "chgrp" => &CHOWN,
        "tee" => &TEE,
        "cp" => return Some(Program::Own(copy)),
        "mv" => return Some(Program::Own(moves)),
        "ln" => return Some(Program::Own(link)),
        "install" => return Some(Program::Own(install)),
        "dd" => return Some(Program::Own(dd)),
        "mktemp" => return Some(Program::Own(mktemp)),
        "split" | "csplit" => return Some(Program::Own(split)),
        _ => return None,
    };
    Some(Program::Table(spec))
}

/// What is shared by those that put the first operands where the last one says.
static PUTS: &[Opt] = &[
    flag("r R recursive a archive", Deep),
    flag("f force i interactive n no-clobber v verbose u d p x l L P H T b s symbolic-link", Nothing),
    flag("no-target-directory one-file-system parents strip-trailing-slashes dereference no-dereference link", Nothing),
    flag("remove-destination attributes-only copy-contents debug symbolic relative logical physical", Nothing),
    maybe("preserve no-preserve reflink sparse backup update Z context", Nothing),
    value("S suffix", Nothing),
    value("t target-directory", Nothing),
];

/// From where, to where.
struct Puts {
    from: Vec<Field>,
    to: Vec<Field>,
    deep: bool,
}

fn puts(call: &mut Call<'_, '_>, options: &[Opt], args: &Args) -> Puts {
    call.run(Nature::Targets, None);
    call.options(args, options, true);
    let deep = args.deep() || !args.loose.is_empty();
    // A name in this folder may become the option that says where to.
    if !args.loose.is_empty() {
        call.write(&Field::within("."), false);
    }
    if let Some(folder) = args.value("t target-directory") {
        return Puts { from: args.operands.clone(), to: vec![folder.clone()], deep };
    }
    let Some((last, first)) = args.operands.split_last() else {
        return Puts { from: Vec::new(), to: Vec::new(), deep };
    };
    // A word that may be none leaves its place to the one before it.
    let mut to = vec![last.clone()];
    if last.splits && last.rest == Rest::Unknown {
        to.extend_from_slice(first);
    }
    Puts { from: first.to_vec(), to, deep }
}

/// Writes the copies: under the name that is given, or in the folder of that name under the names of what is copied.
fn put(call: &mut Call<'_, '_>, puts: &Puts) {
    if !call.walk.may_make(puts.to.len(), puts.from.len()) {
        return;
    }
    for to in &puts.to {
        let folder = is_folder(call, to);
        if !folder {
            call.write(to, puts.deep);
        }
        for from in &puts.from {
            into_folder(call, from, to, folder, puts.deep);
        }
    }
}

/// Whether a word surely names a folder that is there.
fn is_folder(call: &Call<'_, '_>, word: &Field) -> bool {
    let around = call.walk.around;
    let known =
        |path: &Path| around.workspace.contains(path) || around.temporary.contains(path) || *path == around.home;
    let last = word.text().map(|text| text.rsplit('/').next().unwrap_or_default());
    matches!(last, Some("" | "." | "..")) || call.walk.folders.led(word).only().is_some_and(known)
}

/// What is put into a folder has a name there, which may be guarded more than the folder is: `.git`, `.env`. A word that may
/// be no folder is one if that matters.
fn into_folder(call: &mut Call<'_, '_>, from: &Field, to: &Field, surely: bool, deep: bool) {
    let name = from.text().and_then(|text| text.trim_end_matches('/').rsplit('/').next());
    match (to.text(), name) {
        (Some(folder), Some(name)) if !matches!(name, "" | "." | "..") => {
            let inner = Field::fixed(&format!("{}/{name}", folder.trim_end_matches('/')));
            let place = |word: &Field| call.walk.folders.led(word).only().map(|path| call.walk.around.place(path));
            if surely || place(to) != place(&inner) {
                call.write(&inner, deep);
            }
        }
        (Some(folder), None) if surely => call.write(&Field::within(folder), deep),
        _ if surely => call.write(to, deep),
        _ => {}
    }
}

fn copy(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, PUTS);
    let puts = puts(call, PUTS, &args);
    call.reads(&puts.from, puts.deep);
    put(call, &puts);
}

fn moves(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, PUTS);
    let puts = Puts { deep: true, ..puts(call, PUTS, &args) };
    for from in &puts.from {
        call.delete(from, true);
    }
    put(call, &puts);
}

/// A link makes what it leads to reachable under another name.
fn link(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, PUTS);
    let mut puts = puts(call, PUTS, &args);
    if puts.from.is_empty() && !args.has("t target-directory") {
        puts = Puts { from: puts.to, to: vec![Field::fixed(".")], deep: false };
    }
    call.reads(&puts.from, true);
    put(call, &puts);
}

fn install(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("d directory", Nothing),
        flag("D v C p c T b verbose compare preserve-timestamps no-target-directory", Nothing),
        flag("s strip", Unclear("it runs another program")),
        value("strip-program", Unclear("it runs another program")),
        value("m mode o owner g group S suffix", Nothing),
        value("t target-directory", Nothing),
    ];
    let args = Args::all(call.words, OPTIONS);
    if args.has("d directory") {
        call.run(Nature::Targets, None);
        call.options(&args, OPTIONS, true);
        for word in &args.operands {
            call.write(word, false);
        }
        return;
    }
    let puts = puts(call, OPTIONS, &args);
    call.reads(&puts.from, false);
    put(call, &puts);
}

fn dd(call: &mut Call<'_, '_>) {
    call.run(Nature::Targets, None);
    for word in call.words {
        if let Some(file) = word.strip("if=") {
            call.read(&file, false);
        } else if let Some(file) = word.strip("of=") {
            call.write(&file, false);
        } else if word.split('=').is_none() {
            call.unclear(&word.written, "a word for dd that is not understood");
        }
    }
}

fn mktemp(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("d u q t directory dry-run quiet", Nothing),
        value("p", Writes),
        maybe("tmpdir", Writes),
        value("suffix", Nothing),
    ];
    let args = Args::all(call.words, OPTIONS);
    call.run(Nature::Targets, None);
    call.options(&args, OPTIONS, true);
    for word in &args.operands {
        if args.has("t p tmpdir") {
            call.write(&Field::within("/tmp"), false);
        } else {
            call.write(word, false);
        }
    }
    if args.operands.is_empty() && !args.has("p") {
        call.write(&Field::within("/tmp"), false);
    }
}

/// The parts get names that begin with the second operand, or with an x.
fn split(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, SPLIT.options);
    call.run(Nature::Targets, None);
    call.options(&args, SPLIT.options, true);
    call.reads(args.operands.get(..1).unwrap_or_default(), false);
    let prefix = args.operands.get(1).cloned().unwrap_or_else(|| Field::fixed("x"));
    call.write(&prefix.beginning(), false);
}
