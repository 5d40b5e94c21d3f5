//! Programs that reach others.

use super::Program;
use crate::command::call::Call;
use crate::command::field::{Field, Rest};
use crate::command::options::Means::{self, Nothing, Reads, Unclear, Writes};
use crate::command::options::{Args, Opt, flag, value};
use crate::effects::Nature::{self, Code, Fetches, Looks, Publishes, Targets};
use crate::effects::is_this_machine;

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Own(match name {
        "curl" => curl,
        "wget" => wget,
        "ssh" | "mosh" | "autossh" => ssh,
        "scp" | "sftp" => scp,
        "rsync" => rsync,
        "ping" | "ping6" | "dig" | "host" | "nslookup" | "whois" | "traceroute" | "tracepath" | "mtr" | "nmap" => asks,
        "nc" | "ncat" | "netcat" | "socat" | "telnet" | "ftp" | "lftp" | "openssl" => connects,
        "git" => super::git::git,
        "ssh-keygen" | "ssh-add" | "gpg" | "gpg2" | "pass" | "security" => keys,
        _ => return None,
    }))
}

/// Where an address leads.
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// The host of `scheme://user@host:port/path` or `user@host:path`, if the text tells.
pub(super) fn host_of(word: &Field) -> Option<Address> {
    let (scheme, rest) = match word.start.split_once("://") {
        Some((scheme, rest)) => (scheme.to_lowercase(), rest),
        None => (String::new(), word.start.as_str()),
    };
    let end = rest.find(['/', '?', '#', '\\']);
    let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    let whole = rest.get(..rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or_default();
    // Programs differ on what a backslash ends, and what follows may still belong to the host.
    if whole.contains('\\') || end.is_none() && word.rest != Rest::Nothing {
        return None;
    }
    let host = authority.rsplit('@').next().unwrap_or_default();
    let copied = scheme.is_empty() && authority.contains(':');
    let (host, port) = match host.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()),
        None => (host, None),
    };
    let plain = !host.is_empty()
        && host.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_'));
    if !plain || (scheme.is_empty() && !copied && !host.contains('.') && host != "localhost") {
        return None;
    }
    let known = match scheme.as_str() {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        "ssh" => Some(22),
        "ftp" => Some(21),
        _ => None,
    };
    Some(Address { host: host.to_owned(), port: port.or(known) })
}

/// A host as it is compared: in lower case, without the dot at its end, and an IPv4 address in its usual form, which may be
/// written with fewer numbers, or octal and hexadecimal ones.
pub(crate) fn normal_host(host: &str) -> String {
    let host = host.trim_end_matches('.').to_lowercase();
    usual_address(&host).map_or(host, |address| address.to_string())
}

fn usual_address(host: &str) -> Option<std::net::Ipv4Addr> {
    let numbers: Option<Vec<u32>> = host.split('.').map(number).collect();
    let numbers = numbers?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|number| *number > 255) {
        return None;
    }
    let mut address = 0_u32;
    for (at, number) in first.iter().enumerate() {
        address |= number << (24 - 8 * at);
    }
    let room = 32 - 8 * first.len();
    (room == 32 || *last < 1 << room).then(|| std::net::Ipv4Addr::from(address | last))
}

fn number(text: &str) -> Option<u32> {
    match (text.strip_prefix("0x"), text.strip_prefix('0')) {
        (Some(""), _) | (_, Some("")) => Some(0),
        (Some(hexadecimal), _) => u32::from_str_radix(hexadecimal, 16).ok(),
        (None, Some(octal)) => u32::from_str_radix(octal, 8).ok(),
        (None, None) => text.parse().ok(),
    }
}

const CONFIG: Means = Unclear("its options are in a file");
const ELSEWHERE: Means = Unclear("it goes another way than the address says");

/// Options of curl whose value is sent.
const CURL_SENDS: &str = "d data data-ascii data-binary data-raw data-urlencode json F form form-string";

static CURL: &[Opt] = &[
    flag(
        "s silent S show-error f fail L location v verbose i include I head k insecure g globoff compressed C- # progress-bar",
        Nothing,
    ),
    flag(
        "fail-with-body no-progress-meter http1.1 http2 http2-prior-knowledge 4 6 ipv4 ipv6 N no-buffer tcp-nodelay R remote-time",
        Nothing,
    ),
    flag(
        "create-dirs O remote-name J remote-header-name remote-name-all G get ssl-reqd tlsv1.2 tlsv1.3 path-as-is retry-all-errors",
        Nothing,
    ),
    flag("retry-connrefused parallel Z no-keepalive basic digest anyauth location-trusted V version h help j", Nothing),
    value(
        "H header A user-agent e referer m max-time connect-timeout retry retry-delay retry-max-time w write-out X request",
        Nothing,
    ),
    value(
        "u user oauth2-bearer r range max-redirs limit-rate y Y speed-time speed-limit url-query max-filesize proto ciphers z",
        Nothing,
    ),
    value(CURL_SENDS, Nothing),
    value("T upload-file", Reads),
    value("url", Nothing),
    value("t telnet-option", Nothing),
    value(
        "o output D dump-header c cookie-jar trace trace-ascii stderr etag-save hsts alt-svc output-dir libcurl",
        Writes,
    ),
    value("b cookie cacert cert E key capath crlfile etag-compare netrc-file", Reads),
    value("K config", CONFIG),
    value(
        "x proxy preproxy socks5 socks5-hostname socks4 socks4a connect-to resolve unix-socket abstract-unix-socket doh-url",
        ELSEWHERE,
    ),
    value("interface dns-servers", ELSEWHERE),
    value("engine Q quote", Unclear("this option runs something")),
    flag("n netrc netrc-optional", Reads),
];

fn curl(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, CURL);
    let method = args.value("X request").map(|value| value.text().unwrap_or_default().to_uppercase());
    let changes = method.is_some_and(|method| !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS"));
    let sends = args.has(CURL_SENDS) && !args.has("G get");
    call.run(if changes || sends || args.has("T upload-file") { Publishes } else { Fetches }, None);
    call.options(&args, CURL, true);
    for sent in args.values(CURL_SENDS).chain(args.values("url-query")) {
        curl_sends(call, sent);
    }
    // A header, and what is shown at the end, may be in a file.
    let texts = args.values("H header w write-out proxy-header");
    let files: Vec<Field> = texts.filter_map(|text| text.strip("@")).collect();
    call.reads(&files, false);
    let addresses: Vec<Field> = args.operands.iter().chain(args.values("url")).cloned().collect();
    if args.has("n netrc netrc-optional") {
        let file = format!("{}/.netrc", call.walk.around.home.as_str());
        call.read(&Field::fixed(&file), false);
    }
    for address in &addresses {
        reach(call, address);
    }
    if args.has("O remote-name J remote-header-name remote-name-all") {
        let folder = args.value("output-dir").cloned().unwrap_or_else(|| Field::fixed("."));
        for address in &addresses {
            saved(call, address, &folder, args.has("J remote-header-name"));
        }
    }
}

/// What is sent is a text, or is in a file that is named after `@` or `<`.
fn curl_sends(call: &mut Call<'_, '_>, sent: &Field) {
    match sent.start.find(['@', '<']) {
        Some(at) => call.read(&sent.after(at + 1), false),
        None if sent.start.is_empty() && sent.text().is_none() => call.read(sent, false),
        None => {}
    }
}

/// An address is reached, or read if it is a file.
fn reach(call: &mut Call<'_, '_>, address: &Field) {
    let lower = address.start.to_lowercase();
    if lower.starts_with("file:") {
        let path = address.start.get(5..).unwrap_or_default().trim_start_matches('/');
        call.read(&Field { start: format!("/{path}"), ..address.clone() }, false);
        return;
    }
    match host_of(address) {
        Some(found) => {
            let port = found.port.or(if lower.contains("://") { None } else { Some(80) });
            call.walk.reach(Some(&found.host), port);
            // What is fetched from this machine may be allowed, and other kinds of addresses send what stands in them.
            let gets = !lower.contains("://") || lower.starts_with("http://") || lower.starts_with("https://");
            if !gets && is_this_machine(&normal_host(&found.host)) {
                call.unclear(&address.written, "what such an address sends is not read here");
            }
        }
        None if address.text().is_some_and(|text| !text.contains(['{', '[', '%'])) && is_bare_host(address) => {
            call.walk.reach(address.text(), Some(80));
        }
        None => call.walk.reach(None, None),
    }
}

fn is_bare_host(address: &Field) -> bool {
    let host = address.start.split('/').next().unwrap_or_default();
    host == address.start && host.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

/// A file is written under the last part of its address.
fn saved(call: &mut Call<'_, '_>, address: &Field, folder: &Field, told: bool) {
    let path = address.start.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    match (address.text(), folder.text()) {
        (Some(_), Some(folder)) if !name.is_empty() && !told && !name.contains(['{', '[', '%', '\\']) => {
            call.write(&Field::fixed(&format!("{folder}/{name}")), false);
        }
        (_, Some(folder)) => call.write(&Field::within(folder), false),
        _ => call.write(&Field::unknown(&folder.written), false),
    }
}

static WGET: &[Opt] = &[
    flag(
        "q quiet nv no-verbose c continue N timestamping S server-response 4 6 no-check-certificate spider v verbose E k x b",
        Nothing,
    ),
    flag(
        "r recursive np no-parent p page-requisites m mirror nc no-clobber nd no-directories H content-disposition show-progress",
        Nothing,
    ),
    value(
        "t tries T timeout w wait U user-agent header referer user password limit-rate l level A R D accept reject e-robots",
        Nothing,
    ),
    value("progress Q quota waitretry max-redirect", Nothing),
    value("O output-document o output-file a append-output save-cookies warc-file rejected-log", Writes),
    value("P directory-prefix", Writes),
    value("load-cookies ca-certificate certificate private-key", Reads),
    value("i input-file config use-askpass e execute", Unclear("it takes addresses or options from elsewhere")),
    value("post-file body-file", Reads),
    value("post-data method body-data", Nothing),
];

fn wget(call: &mut Call<'_, '_>) {
    let args = Args::all(call.words, WGET);
    let sends = args.has("post-file post-data method body-data body-file");
    call.run(if sends { Publishes } else { Fetches }, None);
    call.options(&args, WGET, true);
    for address in &args.operands {
        reach(call, address);
    }
    if !args.has("O output-document spider") {
        let folder = args.value("P directory-prefix").cloned().unwrap_or_else(|| Field::fixed("."));
        for address in &args.operands {
            saved(call, address, &folder, args.has("content-disposition r recursive m mirror p page-requisites"));
        }
    }
}

static SSH: &[Opt] = &[
    flag("4 6 A a C f G g K k M N n q s T t V v X x Y y", Nothing),
    value("b B c D e L l m p Q R w W", Nothing),
    value("i F S I", Reads),
    value("E", Writes),
    value("o", Unclear("an option of ssh may run a command")),
    value("J", Unclear("it goes over another host")),
];

fn ssh(call: &mut Call<'_, '_>) {
    let (args, rest) = Args::before(call.words, SSH);
    call.run(Publishes, None);
    call.options(&args, SSH, true);
    match rest.split_first() {
        Some((host, command)) => {
            let port = args.value("p").map_or(Some(22), |port| port.text().and_then(|port| port.parse().ok()));
            let name = host
                .text()
                .map(|text| text.trim_start_matches("ssh://").rsplit('@').next().unwrap_or_default().to_owned());
            call.walk.reach(name.as_deref(), port);
            if !command.is_empty() {
                let text: Vec<&str> = command.iter().map(|word| word.written.as_str()).collect();
                call.unclear(&text.join(" "), "a command for another machine");
            }
        }
        None => call.walk.reach(None, None),
    }
}

/// A place on another machine: `user@host:path`. Whether a word is one.
fn remote_place(call: &mut Call<'_, '_>, word: &Field) -> bool {
    let Some((host, _)) = word.split(':') else { return word.text().is_none() && word.start.is_empty() };
    if host.contains('/') && !word.start.contains("://") {
        return false;
    }
    let host = if word.start.contains("://") {
        host_of(word).map(|found| found.host)
    } else {
        host.rsplit('@').next().map(str::to_owned)
    };
    call.walk.reach(host.as_deref().filter(|host| !host.is_empty()), None);
    true
}

fn scp(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag("3 4 6 A B C p q R r s T v O a", Nothing),
        value("c D l P X", Nothing),
        value("i F b", Reads),
        value("o S", Unclear("an option that may run a command")),
        value("J", Unclear("it goes over another host")),
    ];
    let args = Args::all(call.words, OPTIONS);
    call.run(Publishes, None);
    call.options(&args, OPTIONS, true);
    copied(call, &args.operands, true);
}

/// All but the last are read, the last is written; those on other machines are reached.
fn copied(call: &mut Call<'_, '_>, operands: &[Field], reaches: bool) {
    let mut remote = false;
    let Some((last, first)) = operands.split_last() else { return call.walk.reach(None, None) };
    for word in first {
        if remote_place(call, word) {
            remote = true;
        } else {
            call.read(word, true);
        }
    }
    if remote_place(call, last) {
        remote = true;
    } else {
        call.write(last, true);
    }
    if reaches && !remote {
        call.walk.reach(None, None);
    }
}

fn rsync(call: &mut Call<'_, '_>) {
    static OPTIONS: &[Opt] = &[
        flag(
            "a v r l p t g o D z h n P q u c W x H A X S i m archive verbose recursive links perms times group owner devices",
            Nothing,
        ),
        flag(
            "compress human-readable dry-run progress partial quiet update checksum whole-file one-file-system hard-links stats",
            Nothing,
        ),
        flag(
            "existing ignore-existing force numeric-ids inplace append itemize-changes safe-links copy-links L k K",
            Nothing,
        ),
        flag("delete delete-before delete-during delete-after delete-delay delete-excluded del", Nothing),
        flag("remove-source-files", Nothing),
        flag("prune-empty-dirs", Nothing),
        value(
            "exclude include f filter bwlimit timeout max-size min-size chmod chown info out-format port modify-window",
            Nothing,
        ),
        value("exclude-from include-from files-from password-file", Reads),
        value("log-file backup-dir temp-dir T partial-dir write-batch", Writes),
        value("compare-dest copy-dest link-dest", Reads),
        value("e rsh rsync-path M remote-option", Unclear("this option runs another program")),
    ];
    let args = Args::all(call.words, OPTIONS);
    let remote = args.operands.iter().any(|word| word.start.contains(':') || word.text().is_none());
    call.run(if remote { Publishes } else { Targets }, None);
    call.options(&args, OPTIONS, true);
    copied(call, &args.operands, false);
    let Some((last, first)) = args.operands.split_last() else { return };
    if args.has("delete delete-before delete-during delete-after delete-delay delete-excluded del") {
        call.delete(last, true);
    }
    if args.has("remove-source-files") {
        for word in first {
            call.delete(word, true);
        }
    }
}

/// Programs that ask about a host.
fn asks(call: &mut Call<'_, '_>) {
    call.run(Looks, None);
    let hosts: Vec<&Field> = call.words.iter().filter(|word| !word.start.starts_with(['-', '+'])).collect();
    let host = hosts.iter().find_map(|word| word.text().filter(|text| text.contains('.') || text.contains(':')));
    call.walk.reach(host, None);
    if host.map(normal_host).is_some_and(|host| is_this_machine(&host)) {
        call.unclear(call.name, "what it asks this machine is not read here");
    }
}

/// Programs that connect anything with anything.
fn connects(call: &mut Call<'_, '_>) {
    let local =
        call.name == "openssl" && !matches!(call.first(), Some("s_client" | "s_server" | "ocsp" | "s_time" | "engine"));
    if local {
        call.run(Nature::Unknown, call.first().map(str::to_owned).as_deref());
        return;
    }
    let runs = call.words.iter().any(|word| {
        let text = word.start.to_lowercase();
        (text.starts_with('-') && !text.starts_with("--") && text.contains(['e', 'c']))
            || text.contains("exec")
            || text.contains("system")
    });
    call.run(if runs { Code } else { Publishes }, None);
    if runs {
        call.unclear(call.name, "it may give a shell to others");
    }
    let plain: Vec<&str> = call.words.iter().filter_map(Field::text).filter(|text| !text.starts_with('-')).collect();
    let port = plain.get(1).and_then(|port| port.parse().ok());
    let host = plain.first().copied().filter(|_| call.name != "socat" && port.is_some());
    call.walk.reach(host, port);
}

/// Programs that hold keys.
fn keys(call: &mut Call<'_, '_>) {
    call.run(Nature::Unknown, None);
    call.unclear(call.name, "it uses keys");
}
