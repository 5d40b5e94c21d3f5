//! Programs that start another program.

use super::Program;
use crate::command::call::Call;
use crate::command::field::{Field, Rest};
use crate::command::options::Means::{Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Opt, flag, maybe, value};
use crate::command::walk::Stdin;
use crate::effects::Nature::{Looks, Targets, Unknown};

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Own(match name {
        "sudo" | "doas" | "pkexec" | "gosu" | "runuser" | "su" => raised,
        "env" => env,
        "nice" | "ionice" | "nohup" | "stdbuf" | "setsid" | "time" | "timeout" | "gtimeout" | "chrt" | "taskset"
        | "unbuffer" | "caffeinate" | "catchsegv" | "hyperfine" | "strace" | "ltrace" | "valgrind" | "perf" => plain,
        "xargs" => xargs,
        "watch" => watch,
        "chroot" | "unshare" | "nsenter" | "systemd-run" | "parallel" | "script" | "screen" | "tmux" | "firejail"
        | "bwrap" | "proot" | "fakeroot" | "dbus-run-session" | "setpriv" | "capsh" | "entr" | "flock" | "rlwrap"
        | "busybox" | "toybox" | "start-stop-daemon" | "daemonize" | "run-parts" | "ssh-agent" | "direnv"
        | "nix-shell" | "numactl" | "prlimit" | "cgexec" | "inotifywait" | "watchexec" | "nodemon" | "concurrently"
        | "dotenv" | "doppler" | "op" | "vault" | "asdf" | "mise" | "nvm" | "pyenv" | "rbenv" => other,
        _ => return None,
    }))
}

/// The words from which another program starts, if they can be told.
fn inner(call: &mut Call<'_, '_>, args: &Args, options: &[Opt], words: &[Field]) {
    call.options(args, options, true);
    if !words.is_empty() {
        call.walk.inner(words);
    }
}

static SUDO: &[Opt] = &[
    flag("n E H S k K b A P v non-interactive preserve-groups set-home", Nothing),
    flag("l list", Nothing),
    flag("i s login shell e edit", Unclear("it starts a shell or an editor")),
    value("u user g group p prompt C T", Nothing),
    value("D chdir R chroot", Unclear("it runs in another place")),
    maybe("preserve-env", Nothing),
];

static SU: &[Opt] = &[flag("l login m p", Nothing), value("c command s shell g G w", Nothing)];

fn raised(call: &mut Call<'_, '_>) {
    call.walk.raised(|walk| {
        let mut call = Call { walk, name: call.name, words: call.words };
        call.run(Targets, None);
        match call.name {
            "su" | "runuser" => su(&mut call),
            _ => sudo(&mut call),
        }
    });
}

fn sudo(call: &mut Call<'_, '_>) {
    let (args, mut words) = Args::before(call.words, SUDO);
    while let Some((word, rest)) = words.split_first() {
        let Some((name, value)) = word.split('=').filter(|(name, _)| is_name(name)) else { break };
        call.walk.hand(&name, Some(&value));
        words = rest;
    }
    inner(call, &args, SUDO, words);
}

fn su(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, SU);
    call.options(&args, SU, true);
    let commands: Vec<Field> = args.values("c command").cloned().collect();
    for text in &commands {
        match text.text() {
            Some(text) => call.walk.shell(text),
            None => call.unclear(&text.written, "the text that the shell runs is known only when it runs"),
        }
    }
    if commands.is_empty() {
        call.unclear(call.name, "it starts a shell");
    }
    if call.name == "runuser" {
        call.unclear("runuser", "the program that it runs is not understood here");
    }
}

static ENV: &[Opt] = &[
    flag("i ignore-environment 0 null v debug", Nothing),
    value("u unset", Nothing),
    value("C chdir", Nothing),
    value("S split-string", Nothing),
    value("P", Unclear("it looks for the program in other folders")),
    maybe("block-signal default-signal ignore-signal", Nothing),
];

fn env(call: &mut Call<'_, '_>) {
    let handed = call.walk.handed.clone();
    env_of(call);
    call.walk.handed = handed;
}

fn env_of(call: &mut Call<'_, '_>) {
    let (args, mut words) = Args::before(call.words, ENV);
    call.run(Looks, None);
    if words.first().and_then(Field::text) == Some("-") {
        words = words.get(1..).unwrap_or_default();
    }
    // Its words are not those of a shell: quotes, escapes and variables have rules of their own.
    let split: Vec<Field> = args.values("S split-string").cloned().collect();
    let mut all = Vec::new();
    for text in &split {
        match text.text().filter(|text| !text.contains(['\\', '\'', '"', '$', '#'])) {
            Some(text) => all.extend(text.split_whitespace().map(Field::fixed)),
            None => call.unclear(&text.written, "a text of env that is not understood"),
        }
    }
    all.extend_from_slice(words);
    if !split.is_empty() && all.first().is_some_and(|word| word.start.starts_with('-')) {
        call.unclear("env -S", "options in a text of env are not understood");
    }
    if let Some(folder) = args.value("C chdir") {
        let before = call.walk.folders.clone();
        call.walk.folders = before.led(folder);
        assigned(call, &args, &all);
        call.walk.folders = before;
    } else {
        assigned(call, &args, &all);
    }
}

fn assigned(call: &mut Call<'_, '_>, args: &Args, mut words: &[Field]) {
    while let Some((word, rest)) = words.split_first() {
        let Some((name, value)) = word.split('=') else { break };
        call.walk.hand(&name, Some(&value));
        words = rest;
    }
    inner(call, args, ENV, words);
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

static PLAIN: &[Opt] = &[
    flag("p v a q preserve-status foreground verbose portability w wait f fork c ctty quiet append d i s m", Nothing),
    flag("0 1 2 3 4 5 6 7 8 9", Nothing),
];

/// What of a wrapper's words come before the program.
struct Shape {
    options: &'static [Opt],
    /// Words that are no options: the time of `timeout`.
    operands: usize,
}

fn shape(name: &str) -> Option<Shape> {
    static NICE: &[Opt] = &[value("n adjustment", Nothing), flag("0 1 2 3 4 5 6 7 8 9", Nothing)];
    static IONICE: &[Opt] = &[value("n c classdata class", Nothing), flag("t ignore", Nothing)];
    static STDBUF: &[Opt] = &[value("i o e input output error", Nothing)];
    static TIMEOUT: &[Opt] =
        &[value("s signal k kill-after", Nothing), flag("preserve-status foreground v verbose p f", Nothing)];
    static TIME: &[Opt] = &[
        flag("p v portability verbose a append q quiet l", Nothing),
        value("f format", Nothing),
        value("o output", Writes),
    ];
    let shape = match name {
        "nohup" | "unbuffer" | "catchsegv" => Shape { options: &[], operands: 0 },
        "setsid" | "caffeinate" => Shape { options: PLAIN, operands: 0 },
        "nice" => Shape { options: NICE, operands: 0 },
        "ionice" => Shape { options: IONICE, operands: 0 },
        "stdbuf" => Shape { options: STDBUF, operands: 0 },
        "timeout" | "gtimeout" => Shape { options: TIMEOUT, operands: 1 },
        "time" => Shape { options: TIME, operands: 0 },
        _ => return None,
    };
    Some(shape)
}

fn plain(call: &mut Call<'_, '_>) {
    let Some(shape) = shape(call.name) else { return other(call) };
    let (args, words) = Args::before(call.words, shape.options);
    call.run(Looks, None);
    let unsure = words.iter().take(shape.operands).any(|word| word.text().is_none());
    if unsure {
        call.unclear(call.name, "where the program begins that it starts is known only when it runs");
    }
    if call.name == "nohup" {
        call.write(&Field::fixed("nohup.out"), false);
    }
    inner(call, &args, shape.options, words.get(shape.operands..).unwrap_or_default());
}

static XARGS: &[Opt] = &[
    flag("0 null r no-run-if-empty t verbose x exit p interactive", Nothing),
    flag("o open-tty", Nothing),
    value("n max-args L P max-procs s max-chars d delimiter E process-slot-var", Nothing),
    maybe("e i l eof max-lines", Nothing),
    value("I J R", Nothing),
    maybe("replace", Nothing),
    value("a arg-file", Reads),
];

/// Programs that read the files in their words, and never a folder.
const READERS: [&str; 9] = ["cat", "echo", "file", "head", "md5sum", "nl", "sha256sum", "tail", "wc"];

/// The words that it adds are not known.
fn xargs(call: &mut Call<'_, '_>) {
    let (args, words) = Args::before(call.words, XARGS);
    call.run(Looks, None);
    let given = args.value("I J R replace i");
    let mark = given.and_then(Field::text).or_else(|| args.has("i replace").then_some("{}"));
    let mut all: Vec<Field> = words
        .iter()
        .map(|word| match mark {
            Some(mark) if word.start.contains(mark) => Field { splits: false, ..Field::unknown(&word.written) },
            _ => word.clone(),
        })
        .collect();
    if mark.is_none() {
        // A name with blanks in it is taken apart. Its pieces have no slash either, but one may be the folder above, and
        // one an option: only to those who read files and nothing else that is no matter.
        let reader = words.first().and_then(Field::text).is_none_or(|name| READERS.contains(&name));
        let names = reader && call.walk.stdin == Stdin::Names && !args.has("a arg-file");
        let given = Field::unknown("what xargs is given");
        all.push(if names { Field { rest: Rest::Pattern, glob: "**".to_owned(), ..given } } else { given });
    }
    if words.is_empty() {
        all = vec![Field::fixed("echo")];
    }
    // What the program is given besides is nothing.
    let before = std::mem::replace(&mut call.walk.stdin, Stdin::Given);
    inner(call, &args, XARGS, &all);
    call.walk.stdin = before;
}

/// Its words are joined to a text for a shell, unless an option says otherwise.
fn watch(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] =
        &[flag("d t b e g c p x w", Nothing), maybe("differences", Nothing), value("n interval", Nothing)];
    let (args, words) = Args::before(call.words, OPTIONS);
    call.run(Looks, None);
    call.options(&args, OPTIONS, true);
    let texts: Option<Vec<&str>> = words.iter().map(Field::text).collect();
    match texts {
        Some(texts) => call.walk.shell(&texts.join(" ")),
        None => call.unclear("watch", "the text that it runs is known only when it runs"),
    }
}

fn other(call: &mut Call<'_, '_>) {
    call.run(Unknown, None);
    call.unclear(call.name, "it starts another program in a way that is not understood here");
}
