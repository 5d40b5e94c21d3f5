//! Programs that pack and unpack.

use super::Program;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::{self, Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Opt, flag, maybe, value};
use crate::effects::Nature::Targets;

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Own(match name {
        "tar" | "gtar" | "bsdtar" => tar,
        "zip" => zip,
        "unzip" => unzip,
        "7z" | "7za" | "7zr" => seven,
        "gzip" | "gunzip" | "bzip2" | "bunzip2" | "xz" | "unxz" | "zstd" | "unzstd" | "lz4" | "brotli" | "compress" => {
            squeeze
        }
        "cpio" | "pax" | "unrar" | "rar" | "shar" => other,
        _ => return None,
    }))
}

const RUNS: Means = Unclear("this option runs another program");

static TAR: &[Opt] = &[
    flag("c create r append u update A catenate", Nothing),
    flag("x extract get", Nothing),
    flag("t list d diff compare", Nothing),
    flag(
        "z j J a Z v k m p o h l S W w O O gzip bzip2 xz zstd auto-compress verbose keep-old-files to-stdout overwrite",
        Nothing,
    ),
    flag(
        "same-permissions no-same-owner no-same-permissions preserve-permissions numeric-owner dereference sparse",
        Nothing,
    ),
    flag(
        "wildcards no-wildcards anchored no-anchored force-local exclude-vcs totals ignore-failed-read no-recursion null",
        Nothing,
    ),
    flag(
        "skip-old-files keep-newer-files unlink-first recursive-unlink touch one-file-system n acls xattrs selinux",
        Nothing,
    ),
    flag("P absolute-names", Unclear("names in the archive may lead anywhere")),
    flag("remove-files", Unclear("it removes what it packs")),
    value("f file", Nothing),
    value("C directory", Nothing),
    value(
        "exclude strip-components mode owner group mtime sort format level b blocking-factor H K N newer label V wildcards-match-slash",
        Nothing,
    ),
    maybe("one-top-level", Writes),
    maybe("warning exclude-tag checkpoint", Nothing),
    value("T files-from X exclude-from", Reads),
    value("g listed-incremental index-file", Writes),
    value(
        "I use-compress-program to-command checkpoint-action F info-script new-volume-script rsh-command rmt-command",
        RUNS,
    ),
    value("s transform xform", Unclear("it changes names in ways that are not understood")),
];

fn tar(call: &mut Call<'_, '_>) {
    // Without a dash, the letters of the first word take their values from the words after it.
    let words = bundled(call.words);
    let args = Args::all(&words, TAR);
    call.run(Targets, None);
    call.options(&args, TAR, true);
    let archive = args.value("f file").cloned();
    if let Some(archive) =
        archive.as_ref().filter(|archive| archive.start.split('/').next().is_some_and(|host| host.contains(':')))
    {
        let host = archive.split(':').map(|(host, _)| host.rsplit('@').next().unwrap_or_default().to_owned());
        call.walk.reach(host.as_deref(), None);
    }
    let folders: Vec<Field> = args.values("C directory").cloned().collect();
    if args.has("x extract get") {
        if let Some(archive) = &archive {
            call.read(archive, false);
        }
        let all = if folders.is_empty() { vec![Field::fixed(".")] } else { folders };
        for folder in all {
            let inside = folder.text().map_or_else(|| folder.clone(), Field::within);
            call.write(&inside, true);
        }
    } else if args.has("c create r append u update A catenate") {
        if let Some(archive) = &archive {
            call.write(archive, false);
        }
        packed(call, &folders, &args.operands);
        if args.has("T files-from") {
            call.read(&Field::unknown("--files-from"), false);
        }
    } else if args.has("t list d diff compare") {
        if let Some(archive) = &archive {
            call.read(archive, false);
        }
    } else {
        call.unclear("tar", "it is not told whether it packs or unpacks");
    }
}

/// What is packed lies in the folder of `-C`, or in that of the command.
fn packed(call: &mut Call<'_, '_>, folders: &[Field], operands: &[Field]) {
    call.reads(operands, true);
    if !call.walk.may_make(folders.len(), operands.len()) {
        return;
    }
    for folder in folders {
        let before = call.walk.folders.clone();
        call.walk.folders = call.walk.folders.led(folder);
        call.reads(operands, true);
        call.walk.folders = before;
    }
}

fn bundled(words: &[Field]) -> Vec<Field> {
    let Some((first, mut rest)) = words.split_first() else { return Vec::new() };
    let old = first.text().filter(|text| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphabetic()));
    let Some(letters) = old else { return words.to_vec() };
    let mut all = Vec::new();
    for letter in letters.chars() {
        all.push(Field::fixed(&format!("-{letter}")));
        if "fCbITXgFHKNVs".contains(letter)
            && let Some((value, after)) = rest.split_first()
        {
            all.push(value.clone());
            rest = after;
        }
    }
    all.extend_from_slice(rest);
    all
}

fn zip(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("r recurse-paths q quiet v j y u f d 0 1 2 3 4 5 6 7 8 9 D X e g o", Nothing),
        flag("m move", Unclear("it removes what it packs")),
        flag("T test", RUNS),
        value("TT unzip-command", RUNS),
        value("x i n exclude include", Nothing),
        value("b", Writes),
    ];
    let odd = call.words.iter().any(|word| word.start.starts_with("-TT"));
    let args = Args::all(call.words, OPTIONS);
    call.run(Targets, None);
    call.options(&args, OPTIONS, true);
    if odd {
        call.unclear("zip -TT", "this option runs another program");
    }
    if let Some((archive, files)) = args.operands.split_first() {
        call.write(archive, false);
        call.reads(files, true);
    }
}

fn unzip(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("l v t Z z p c", Nothing),
        flag("o n q u j a C L f b K X", Nothing),
        value("d", Nothing),
        value("x P", Nothing),
        flag(":", Unclear("names in the archive may lead anywhere")),
    ];
    let args = Args::all(call.words, OPTIONS);
    call.run(Targets, None);
    call.options(&args, OPTIONS, true);
    call.reads(args.operands.get(..1).unwrap_or_default(), false);
    if !args.has("l v t Z z p c") {
        let folder = args.value("d").cloned().unwrap_or_else(|| Field::fixed("."));
        let inside = folder.text().map_or_else(|| folder.clone(), Field::within);
        call.write(&inside, true);
    }
}

/// One file is replaced by its compressed form, or the other way round, unless it goes to the output.
fn squeeze(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("c stdout to-stdout l list t test", Nothing),
        flag(
            "d decompress uncompress k keep f force q quiet v verbose n N no-name name 0 1 2 3 4 5 6 7 8 9 best fast z",
            Nothing,
        ),
        flag("r recursive", Means::Deep),
        flag("rm e extreme ultra long", Nothing),
        value("S suffix T threads", Nothing),
        value("o", Writes),
    ];
    let args = Args::all(call.words, OPTIONS);
    call.run(Targets, None);
    call.options(&args, OPTIONS, true);
    for file in &args.operands {
        call.read(file, args.deep());
        if args.has("c stdout to-stdout l list t test") || file.text() == Some("-") {
            continue;
        }
        if !args.has("k keep") || args.has("rm") {
            call.delete(file, args.deep());
        }
        match file.text() {
            Some(text) => {
                let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
                call.write(&Field::fixed(stem).beginning(), false);
            }
            None => call.write(file, false),
        }
    }
}

fn seven(call: &mut Call<'_, '_>) {
    call.run(Targets, call.first().map(str::to_owned).as_deref());
    let plain: Vec<&Field> = call.words.iter().skip(1).filter(|word| !word.start.starts_with('-')).collect();
    match call.first() {
        Some("l" | "t") => {
            for word in plain {
                call.read(word, false);
            }
        }
        Some("x" | "e") => {
            plain.iter().take(1).for_each(|word| call.read(word, false));
            let out = call.words.iter().find_map(|word| word.strip("-o")).unwrap_or_else(|| Field::fixed("."));
            let inside = out.text().map_or_else(|| out.clone(), Field::within);
            call.write(&inside, true);
        }
        Some("a" | "u") => {
            plain.iter().take(1).for_each(|word| call.write(word, false));
            plain.iter().skip(1).for_each(|word| call.read(word, true));
        }
        _ => call.unclear("7z", "what it is to do is not understood"),
    }
}

fn other(call: &mut Call<'_, '_>) {
    call.run(Targets, None);
    call.unclear(call.name, "what this archiver reads and writes is not understood here");
}
