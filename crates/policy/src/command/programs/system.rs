//! Programs that change the machine, or end work on it.

use super::Program;
use super::verbs::Verbs;
use crate::command::call::Call;
use crate::command::field::Field;
use crate::command::options::Means::{Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Operands, Spec, flag, value};
use crate::effects::Nature::{self, Destroys, Fetches, Looks, Publishes};

const ROOT: &str = "it works on another root";

static PACKAGES: Verbs = Verbs {
    natures: &[
        (
            Looks,
            &[
                "list",
                "show",
                "info",
                "search",
                "policy",
                "depends",
                "rdepends",
                "help",
                "version",
                "provides",
                "history",
                "leaves",
                "deps",
                "config",
                "doctor",
                "outdated",
                "cache policy",
            ],
        ),
        (
            Destroys,
            &[
                "remove",
                "purge",
                "autoremove",
                "uninstall",
                "clean",
                "autoclean",
                "cleanup",
                "erase",
                "del",
                "delete",
                "rm",
                "autopurge",
            ],
        ),
    ],
    other: Fetches,
    alone: Looks,
    values: &["-o", "-t", "-c"],
    unclear: &[
        ("-o", "an option that may run a command"),
        ("-c", "its options are in a file"),
        ("--root", ROOT),
        ("--installroot", ROOT),
    ],
    ..Verbs::PLAIN
};

static SERVICES: Verbs = Verbs {
    natures: &[(
        Looks,
        &[
            "status",
            "list-units",
            "list-unit-files",
            "is-active",
            "is-enabled",
            "is-failed",
            "show",
            "cat",
            "list-timers",
            "list",
            "print",
            "list-dependencies",
            "get-default",
            "list-sockets",
        ],
    )],
    other: Destroys,
    alone: Looks,
    values: &["-t", "--type", "-M", "-H", "--machine", "--host", "-p", "-n"],
    unclear: &[("-H", "it reaches another machine"), ("--host", "it reaches another machine")],
    ..Verbs::PLAIN
};

static DESTROYS: Spec = Spec { nature: Destroys, options: &[], operands: Operands::Nothing, strict: false };
static DESTROYS_FILES: Spec = Spec { nature: Destroys, options: &[], operands: Operands::Writes, strict: false };
static JOURNAL: Spec = Spec {
    nature: Looks,
    options: &[
        value("vacuum-size vacuum-time vacuum-files", Unclear("it removes what the machine wrote down")),
        flag(
            "rotate flush sync setup-keys update-catalog relinquish-var smart-relinquish-var",
            Unclear("it changes what the machine writes down"),
        ),
        value("cursor-file", Writes),
        value("file i directory D root image", Reads),
        value("u unit user-unit n lines S since U until p priority o output t identifier g grep c cursor", Nothing),
        flag("f follow r reverse b boot k dmesg x catalog e pager-end no-pager q quiet a all l full", Nothing),
    ],
    operands: Operands::Nothing,
    strict: false,
};

/// Programs that end work or change the machine, whatever their words.
const DESTROYERS: &str = "
    kill pkill killall shutdown reboot halt poweroff init telinit umount swapon swapoff losetup modprobe
    insmod rmmod iptables ip6tables nft ufw firewall-cmd useradd userdel usermod groupadd groupdel
    passwd chpasswd chsh visudo update-alternatives ldconfig setenforce setcap setfacl chattr quotaon
    cryptsetup lvremove vgremove pvremove zpool zfs btrfs mdadm efibootmgr grub-install timedatectl
    hwclock hostnamectl localectl defaults scutil csrutil diskutil nvram pmset renice fuser logrotate
    wall write kexec dropdb createdb docker-machine xdg-mime gsettings dconf";

pub(super) fn find(name: &str) -> Option<Program> {
    Some(match name {
        "apt" | "apt-get" | "aptitude" | "dnf" | "yum" | "brew" | "zypper" | "apk" | "port" | "snap" | "flatpak"
        | "nix-env" | "choco" | "winget" | "apt-cache" => Program::Verbs(&PACKAGES),
        "pacman" | "yay" | "paru" | "dpkg" | "rpm" | "emerge" | "nix" => Program::Own(package),
        "systemctl" | "service" | "launchctl" | "rc-service" | "loginctl" => Program::Verbs(&SERVICES),
        name if DESTROYERS.split_whitespace().any(|known| known == name) => Program::Table(&DESTROYS),
        "fdisk" | "sfdisk" | "parted" | "gdisk" | "sgdisk" | "wipefs" | "blkdiscard" | "hdparm" | "badblocks"
        | "mkswap" => Program::Table(&DESTROYS_FILES),
        name if name.starts_with("mkfs") || name.starts_with("fsck") => Program::Table(&DESTROYS_FILES),
        "mount" | "ip" | "ifconfig" | "route" | "sysctl" | "dmesg" => Program::Own(looks_or_changes),
        "journalctl" => Program::Table(&JOURNAL),
        "crontab" | "at" | "batch" | "atrm" => Program::Own(later),
        "open" | "xdg-open" | "start" | "xclip" | "pbcopy" | "wl-copy" | "osascript" | "notify-send" => {
            Program::Own(desktop)
        }
        _ => return None,
    })
}

/// Package managers that are told by an option what to do.
fn package(call: &mut Call<'_, '_>) {
    let first = call.first().unwrap_or_default();
    let queries = first.starts_with("-Q")
        || first.starts_with("-q")
        || matches!(first, "-l" | "-L" | "-s" | "-S" | "--list" | "--status");
    let looks = (queries && !(call.name != "dpkg" && first.starts_with("-S"))) || first == "--version";
    let removes = first.starts_with("-R") || matches!(first, "-r" | "-P" | "-e" | "--remove" | "--purge");
    let nature = if looks {
        Looks
    } else if removes {
        Destroys
    } else {
        Fetches
    };
    call.of_nature(nature, Some(first.to_owned()).filter(|first| !first.is_empty()).as_deref());
}

const IP_LOOKS: [&str; 8] = ["show", "sho", "sh", "list", "lst", "ls", "get", "help"];

/// Whether one of these letters is among short options.
fn is_cluster(text: &str, letters: &str) -> bool {
    text.starts_with('-') && !text.starts_with("--") && text.contains(|letter| letters.contains(letter))
}

/// Programs that show something, unless their words say otherwise.
fn looks_or_changes(call: &mut Call<'_, '_>) {
    const CHANGES: [&str; 14] = [
        "add", "del", "delete", "set", "change", "replace", "flush", "up", "down", "exec", "append", "restore", "save",
        "prepend",
    ];
    let args = Args::all(call.words, &[]);
    let plain: Vec<Option<&str>> = args.operands.iter().map(Field::text).collect();
    let changes = match call.name {
        "mount" => {
            !plain.is_empty()
                || call.words.iter().any(|word| word.start.starts_with("-a") || word.start.contains("bind"))
        }
        "sysctl" => call.words.iter().any(|word| {
            word.start.contains('=')
                || is_cluster(&word.start, "pwf")
                || word.start.starts_with("--system")
                || word.start.starts_with("--load")
                || word.start.starts_with("--write")
        }),
        "dmesg" => call
            .words
            .iter()
            .any(|word| word.start.starts_with(['-']) && word.start.contains(['c', 'C', 'n', 'D', 'E'])),
        "ifconfig" => plain.len() > 1,
        // What is not surely asked for is changed: any beginning of a verb stands for it.
        "ip" => {
            plain.get(1).is_some_and(|verb| verb.is_none_or(|verb| !IP_LOOKS.contains(&verb)))
                || plain.first() == Some(&Some("netns"))
                || call.words.iter().any(|word| word.start.starts_with("-b") || word.start.starts_with("-force"))
        }
        _ => {
            plain.iter().any(|word| {
                word.is_none_or(|word| CHANGES.iter().any(|change| change.starts_with(word) && word.len() > 1))
            }) || call.words.iter().any(|word| word.start.starts_with("-b") || word.start.starts_with("-force"))
        }
    };
    call.run(if changes { Destroys } else { Looks }, None);
}

/// Programs that run something later.
fn later(call: &mut Call<'_, '_>) {
    let shows = call.name == "crontab" && call.words.len() == 1 && call.first() == Some("-l");
    call.run(if shows { Looks } else { Destroys }, None);
    if !shows {
        call.unclear(call.name, "it runs something later that is not seen here");
    }
}

/// Programs that give something to the desktop.
fn desktop(call: &mut Call<'_, '_>) {
    let nature: Nature = if matches!(call.name, "open" | "xdg-open" | "start") { Publishes } else { Nature::Unknown };
    call.run(nature, None);
    call.unclear(call.name, "it starts what the desktop has for this");
}
