//! Programs that look at things.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::{self, Deep, Lists, Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Operands, Opt, Spec, flag, value};
use crate::effects::Nature;

const RUNS: Means = Unclear("this option runs another program");

const fn looks(options: &'static [Opt], operands: Operands) -> Spec {
    Spec { nature: Nature::Looks, options, operands, strict: false }
}

static SILENT: Spec = looks(&[], Operands::Nothing);
static READER: Spec = looks(&[value("n lines c bytes w width t d delimiters separator", Nothing)], Operands::Reads);
static BINARIES: Spec = looks(&[value("plugin", RUNS)], Operands::Reads);
static WC: Spec = looks(&[value("files0-from", Lists)], Operands::Reads);
static SS: Spec = looks(
    &[flag("K kill", Unclear("it ends connections")), value("D diag", Writes), value("F filter", Reads)],
    Operands::Nothing,
);
static CUT: Spec =
    looks(&[value("d delimiter b bytes c characters f fields output-delimiter", Nothing)], Operands::Reads);
static LS: Spec = looks(
    &[flag("R recursive", Deep), value("I ignore hide w width T tabsize block-size time-style", Nothing)],
    Operands::Lists,
);
static TREE: Spec = looks(&[value("o", Writes), value("L I P charset filelimit", Nothing)], Operands::ListsDeep);
static DU: Spec = looks(
    &[
        value("d max-depth B block-size exclude t threshold", Nothing),
        value("X exclude-from", Reads),
        value("files0-from", Lists),
    ],
    Operands::ListsDeep,
);
static STAT: Spec = looks(&[value("c format printf f t", Nothing)], Operands::Reads);
static DIFF: Spec = looks(
    &[
        flag("r recursive", Deep),
        value("U unified C context x exclude I ignore-matching-lines label W width F show-function-line", Nothing),
        value("X exclude-from from-file to-file", Reads),
        value("o output", Writes),
        value("diff-program", RUNS),
    ],
    Operands::Reads,
);
static GREP: Spec = looks(
    &[
        value("e regexp", Nothing),
        value("f file exclude-from", Reads),
        flag("r R recursive dereference-recursive", Deep),
        value("m max-count A after-context B before-context C context d D include exclude exclude-dir label", Nothing),
    ],
    Operands::AfterFirst("e regexp f file"),
);
static RG: &[Opt] = &[
    value("e regexp", Nothing),
    value("f file ignore-file", Reads),
    value("pre hostname-bin", RUNS),
    flag("z search-zip", RUNS),
    flag("files type-list", Nothing),
    value(
        "A after-context B before-context C context g glob iglob t type T type-not m max-count M max-columns",
        Nothing,
    ),
    value(
        "j threads r replace E encoding max-depth d sort sortr color colors engine max-filesize type-add pre-glob",
        Nothing,
    ),
];
static SORT: Spec = looks(
    &[
        value("o output", Writes),
        value("T temporary-directory", Writes),
        value("compress-program", RUNS),
        value("files0-from", Lists),
        value("k key t field-separator S buffer-size parallel batch-size random-source sort", Nothing),
    ],
    Operands::Reads,
);
static JQ: Spec = looks(
    &[flag("n null-input r raw-output", Nothing), value("f from-file", Reads), value("L indent", Nothing)],
    Operands::AfterFirst("f from-file"),
);
static YQ: Spec = looks(
    &[
        flag("i inplace in-place", Unclear("it changes the files that it reads")),
        value("s split-exp", Unclear("it writes files of names that are not told")),
        value("o output-format p input-format I indent from-file", Nothing),
    ],
    Operands::AfterFirst("from-file"),
);
static LESS: Spec = looks(
    &[
        value("o O log-file LOG-FILE", Writes),
        value("k lesskey-file lesskey-src lesskey-content", RUNS),
        value("p pattern t tag T", Nothing),
    ],
    Operands::Reads,
);
static BAT: Spec = looks(
    &[value("pager", RUNS), value("l language r line-range theme style H highlight-line m map-syntax", Nothing)],
    Operands::Reads,
);
static MAN: Spec = looks(
    &[
        value("o output dribble", Writes),
        value("P pager H html C config-file M manpath", RUNS),
        value("l local-file", RUNS),
    ],
    Operands::Nothing,
);
static DATE: Spec = looks(
    &[value("s set", Unclear("it sets the clock")), value("f file r reference", Reads), value("d date", Nothing)],
    Operands::Nothing,
);
static XMLLINT: Spec = looks(
    &[value("output o", Writes), value("schema relaxng dtdvalid", Reads), flag("shell", RUNS), value("xpath", Nothing)],
    Operands::Reads,
);
static FILE: Spec = looks(
    &[value("f files-from m magic-file", Reads), flag("C compile", Unclear("it writes a file of its own"))],
    Operands::Reads,
);

pub(super) fn find(name: &str) -> Option<Program> {
    let spec = match name {
        "basename" | "dirname" | "uname" | "whoami" | "id" | "groups" | "printenv" | "which" | "ps" | "free"
        | "uptime" | "seq" | "sleep" | "nproc" | "arch" | "tty" | "locale" | "getconf" | "expr" | "factor" | "tput"
        | "clear" | "lsof" | "netstat" | "tr" | "cal" | "df" | "lscpu" | "lsblk" | "logname" | "users" | "who"
        | "w" | "pgrep" | "pstree" | "vmstat" | "hostid" | "yes" | "numfmt" | "tokei" | "top" | "htop" | "sw_vers"
        | "last" | "lsusb" | "lspci" | "uuidgen" | "pidof" => &SILENT,
        "cat" | "head" | "tail" | "nl" | "tac" | "rev" | "fold" | "fmt" | "expand" | "unexpand" | "column"
        | "paste" | "join" | "comm" | "cmp" | "od" | "hexdump" | "strings" | "base64" | "base32" | "md5sum"
        | "sha1sum" | "sha224sum" | "sha256sum" | "sha384sum" | "sha512sum" | "b2sum" | "cksum" | "sum" | "shasum"
        | "md5" | "zcat" | "gzcat" | "bzcat" | "xzcat" | "zstdcat" | "readelf" | "size" | "realpath" | "readlink"
        | "vdir" | "namei" | "lsattr" | "getfacl" | "pr" | "tsort" | "hd" => &READER,
        "nm" | "objdump" => &BINARIES,
        "wc" => &WC,
        "ss" => &SS,
        "getent" => return Some(Program::Own(getent)),
        "cut" => &CUT,
        "ls" | "dir" | "exa" | "eza" | "lsd" => &LS,
        "tree" => &TREE,
        "du" | "dust" => &DU,
        "stat" => &STAT,
        "diff" | "sdiff" | "diff3" | "colordiff" => &DIFF,
        "grep" | "egrep" | "fgrep" | "zgrep" => &GREP,
        "sort" => &SORT,
        "jq" => return Some(Program::Own(jq)),
        "yq" => return Some(Program::Own(yq)),
        "less" | "more" => return Some(Program::Own(less)),
        "bat" | "batcat" => &BAT,
        "man" | "info" | "apropos" | "whatis" => &MAN,
        "xmllint" => return Some(Program::Own(xmllint)),
        "file" => &FILE,
        "date" => return Some(Program::Own(date)),
        "hostname" => return Some(Program::Own(hostname)),
        "uniq" | "xxd" => return Some(Program::Own(second_is_written)),
        "rg" => return Some(Program::Own(rg)),
        "ag" | "ack" => return Some(Program::Own(ag)),
        "fd" | "fdfind" => return Some(Program::Own(fd)),
        _ => return None,
    };
    Some(Program::Table(spec))
}

/// A pager runs commands that are given with a plus.
fn less(call: &mut Call<'_, '_>) {
    call.table(&LESS);
    for word in call.words {
        if word.start.starts_with('+') {
            call.unclear(&word.written, "a command for the pager");
        }
    }
}

/// The text of a filter may ask for variables and files.
fn jq(call: &mut Call<'_, '_>) {
    call.table(&JQ);
    for word in call.words {
        let text = word.start.as_str();
        if text.contains("$ENV") || text.contains("import") || text.contains("include") || has_word(text, "env") {
            call.walk.unclear(&word.written, "this filter may read variables or files");
        }
    }
}

fn yq(call: &mut Call<'_, '_>) {
    call.table(&YQ);
    for word in call.words {
        let calls = ["load", "env(", "envsubst", "$ENV", "system("];
        if calls.iter().any(|name| word.start.contains(name)) || has_word(&word.start, "env") {
            call.walk.unclear(&word.written, "this filter may read variables or files");
        }
    }
}

/// Whether a filter has this word, and not as the name of a field.
fn has_word(text: &str, name: &str) -> bool {
    let part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '"' | '-');
    text.split(|letter| !part(letter)).any(|word| word == name)
}

/// A document may be named by its address.
fn xmllint(call: &mut Call<'_, '_>) {
    call.table(&XMLLINT);
    if call.words.iter().any(|word| word.start.contains("://")) {
        call.walk.reach(None, None);
    }
}

/// What the machine knows of users and hosts: the file of that name tells.
fn getent(call: &mut Call<'_, '_>) {
    call.run(Nature::Looks, None);
    let Some(base) = call.words.iter().find(|word| !word.start.starts_with('-')).cloned() else { return };
    match base.text() {
        Some(name) => call.read(&Field::fixed(&format!("/etc/{name}")), false),
        None => call.unclear(&base.written, "what is asked for is known only when it runs"),
    }
}

/// A date without a plus sets the clock.
fn date(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, DATE.options);
    call.table(&DATE);
    for word in &args.operands {
        if !word.start.starts_with('+') {
            call.unclear(&word.written, "it sets the clock");
        }
    }
}

fn hostname(call: &mut Call<'_, '_>) {
    let sets = call.words.iter().any(|word| !word.start.starts_with('-') || word.start.starts_with("-F"));
    call.run(if sets { Nature::Destroys } else { Nature::Looks }, None);
}

fn second_is_written(call: &mut Call<'_, '_>) {
    let values = match call.name {
        "uniq" => value("f s w skip-fields skip-chars check-chars", Nothing),
        _ => value("l len c cols g groupsize o offset s seek n name R", Nothing),
    };
    let args = Args::all(call.words, &[values]);
    call.run(Nature::Looks, None);
    call.reads(args.operands.get(..1).unwrap_or_default(), false);
    let splits = args.operands.first().is_some_and(|word| word.splits);
    for word in args.operands.iter().skip(usize::from(!splits)) {
        call.write(word, false);
    }
    for word in &args.loose {
        call.unclear(&word.written, "this may become another file, which is then written");
    }
}

fn rg(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, RG);
    call.run(Nature::Looks, None);
    call.options(&args, RG, false);
    let no_pattern = args.has("e regexp f file files type-list");
    searches(call, args.operands.get(usize::from(!no_pattern)..).unwrap_or_default());
}

fn searches(call: &mut Call<'_, '_>, folders: &[Field]) {
    let here = [Field::fixed(".")];
    call.reads(if folders.is_empty() { &here } else { folders }, true);
}

fn ag(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        value("pager ackrc", RUNS),
        value("files-from", Lists),
        value("A B C G m depth ignore ignore-dir", Nothing),
        value("p", Reads),
    ];
    let args = Args::all(call.words, OPTIONS);
    call.run(Nature::Looks, None);
    call.options(&args, OPTIONS, false);
    searches(call, args.operands.get(1..).unwrap_or_default());
}

fn fd(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        value("e extension t type d max-depth min-depth E exclude c color j threads S size changed-within", Nothing),
        value("changed-before o owner path-separator max-results and format", Nothing),
        value("ignore-file", Reads),
        value("search-path base-directory C", Nothing),
        value("x exec X exec-batch", Nothing),
    ];
    let starts = |word: &Field| {
        let text = word.start.as_str();
        text == "--exec"
            || text == "--exec-batch"
            || (text.starts_with('-') && !text.starts_with("--") && text.contains(['x', 'X']))
    };
    let at = call.words.iter().position(starts);
    let (before, inner) = call.words.split_at(at.unwrap_or(call.words.len()));
    let args = Args::all(before, OPTIONS);
    call.run(Nature::Looks, None);
    call.options(&args, OPTIONS, true);
    let given: Vec<Field> = args.values("search-path").cloned().collect();
    let mut folders = args.operands.get(1..).unwrap_or_default().to_vec();
    folders.extend(given);
    searches(call, &folders);
    if let Some((_, inner)) = inner.split_first() {
        let mut words: Vec<Field> = inner
            .iter()
            .map(|word| if word.start.contains('{') { Field::unknown(&word.written) } else { word.clone() })
            .collect();
        words.push(Field::unknown("{}"));
        call.walk.inner(&words);
    }
}
