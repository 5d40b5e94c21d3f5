//! Where secrets stand in a text: one pass, and no step looks back or ahead farther than a named bound or than it moves
//! on.

use data_encoding::{BASE64, BASE64_NOPAD};

/// The longest name before a value, and the longest value after it.
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 512;

/// The longest user and password in an address.
const MAX_USER: usize = 256;

/// The shortest value that is taken for a password because of its name.
const MIN_VALUE: usize = 8;

/// The least that stands after `Bearer`.
const MIN_BEARER: usize = 16;

/// The least in each part of a signed token.
const MIN_JWT: usize = 10;

/// How often a form is looked for within one run of letters, digits, `_` and `-`.
const MAX_LOOKS: usize = 64;

/// What the names of secrets end with, without what joins their words.
const SECRET_NAMES: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "credential",
    "credentials",
];

/// The same of those that a number may have.
const NUMBER_NAMES: [&str; 6] = ["password", "passwd", "passphrase", "passcode", "pincode", "secret"];

/// A secret in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) kind: &'static str,
}

/// Values that are secret wherever they stand.
pub(super) struct Known {
    /// By first byte, the longest first.
    by_first: Vec<Vec<String>>,
    /// Where a look is worth it: the first bytes of known values and of forms.
    begins: [bool; 256],
}

impl Known {
    pub(super) fn new(values: Vec<String>) -> Self {
        let mut by_first: Vec<Vec<String>> = vec![Vec::new(); 256];
        let mut begins = [false; 256];
        for byte in b"sgAxneBbrhp-:=".iter().copied().chain(values.iter().filter_map(|value| value.bytes().next())) {
            if let Some(begins) = begins.get_mut(usize::from(byte)) {
                *begins = true;
            }
        }
        for value in values {
            if let Some(list) = value.bytes().next().and_then(|first| by_first.get_mut(usize::from(first))) {
                list.push(value);
            }
        }
        for list in &mut by_first {
            list.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
            list.dedup();
        }
        Self { by_first, begins }
    }

    fn may_begin(&self, byte: u8) -> bool {
        self.begins.get(usize::from(byte)).copied().unwrap_or_default()
    }

    fn at(&self, rest: &[u8]) -> Option<usize> {
        let list = self.by_first.get(usize::from(*rest.first()?))?;
        list.iter().find(|value| rest.starts_with(value.as_bytes())).map(String::len)
    }
}

/// All secrets of a text in order. Without `forms`, only the known ones.
pub(super) fn hits(text: &str, known: &Known, forms: bool) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut named: Option<Hit> = None;
    let mut looks = Looks::default();
    let mut at = 0;
    loop {
        let skipped = bytes.get(at..).unwrap_or_default().iter().position(|byte| known.may_begin(*byte));
        let next = skipped.map_or(bytes.len(), |skipped| at + skipped);
        if let Some(value) = named.take_if(|value| value.start <= next) {
            // What was found before it may reach into it.
            let value = Hit { start: value.start.max(at), ..value };
            let hit = specific(bytes, value.start, known, forms).filter(|hit| hit.end >= value.end);
            let hit = hit.unwrap_or(value);
            found.extend((hit.start < hit.end).then_some(hit));
            at = hit.end.max(at);
            continue;
        }
        at = next;
        if at >= bytes.len() {
            return found;
        }
        let forms_too = forms && may_be_a_form(bytes, at) && looks.one_more(bytes, at);
        if let Some(hit) = specific(bytes, at, known, forms_too) {
            found.push(hit);
            at = hit.end;
            continue;
        }
        if forms && matches!(bytes.get(at), Some(b':' | b'=')) {
            named = password_in_address(bytes, at).or_else(|| assigned(text, at)).or(named);
        }
        at += 1;
    }
}

/// How often forms were looked for in the run of letters, digits, `_` and `-` that is being read: a form may fail only at
/// the end of the run.
#[derive(Default)]
struct Looks {
    run_ends: usize,
    count: usize,
}

impl Looks {
    fn one_more(&mut self, bytes: &[u8], at: usize) -> bool {
        if at >= self.run_ends {
            self.run_ends = at + run(bytes.get(at..).unwrap_or_default(), is_name);
            self.count = 0;
        }
        self.count += 1;
        self.count <= MAX_LOOKS
    }
}

/// Whether it is no part of a word.
fn may_be_a_form(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    bytes.get(at) == Some(&b'-') || !before.is_some_and(|byte| is_word(*byte))
}

/// A known value, or one whose form says what it is.
fn specific(bytes: &[u8], at: usize, known: &Known, forms: bool) -> Option<Hit> {
    let rest = bytes.get(at..)?;
    let hit = |length: usize, kind| Hit { start: at, end: at + length, kind };
    if let Some(length) = known.at(rest) {
        return Some(hit(length, "known"));
    }
    if !forms {
        return None;
    }
    if rest.first() == Some(&b'-') {
        return private_key(rest).map(|length| hit(length, "private-key"));
    }
    if !may_be_a_form(bytes, at) {
        return None;
    }
    if let Some((from, to)) = bearer(rest) {
        return Some(Hit { start: at + from, end: at + to, kind: "bearer" });
    }
    if let Some((from, to)) = basic(rest) {
        return Some(Hit { start: at + from, end: at + to, kind: "basic" });
    }
    let form = FORMS.iter().find_map(|form| form.length(rest).map(|length| hit(length, form.kind)));
    form.or_else(|| jwt(rest).map(|length| hit(length, "jwt")))
}

/// A secret that begins with a text of its own.
struct Form {
    kind: &'static str,
    begins: &'static str,
    /// How many bytes follow at least; or exactly, if `most` says the same.
    least: usize,
    most: usize,
    of: fn(u8) -> bool,
    /// What must hold for that which follows, beside its length.
    looks: fn(&[u8]) -> bool,
}

impl Form {
    const fn new(kind: &'static str, begins: &'static str, least: usize, of: fn(u8) -> bool) -> Self {
        Self { kind, begins, least, most: usize::MAX, of, looks: any }
    }

    fn length(&self, rest: &[u8]) -> Option<usize> {
        let after = rest.strip_prefix(self.begins.as_bytes())?;
        let run = run(after, self.of);
        let fits = (self.least..=self.most).contains(&run) && (self.looks)(after.get(..run)?);
        fits.then_some(self.begins.len() + run)
    }
}

const FORMS: &[Form] = &[
    Form { looks: random, ..Form::new("api-key", "sk-", 16, is_name) },
    Form::new("github-token", "ghp_", 30, is_alphanumeric),
    Form::new("github-token", "gho_", 30, is_alphanumeric),
    Form::new("github-token", "ghu_", 30, is_alphanumeric),
    Form::new("github-token", "ghs_", 30, is_alphanumeric),
    Form::new("github-token", "ghr_", 30, is_alphanumeric),
    Form::new("github-token", "github_pat_", 30, is_word),
    Form { most: 16, ..Form::new("aws-key", "AKIA", 16, is_capital) },
    Form { most: 16, ..Form::new("aws-key", "ASIA", 16, is_capital) },
    Form { looks: has_digit, ..Form::new("slack-token", "xoxa-", 10, is_name) },
    Form { looks: has_digit, ..Form::new("slack-token", "xoxb-", 10, is_name) },
    Form { looks: has_digit, ..Form::new("slack-token", "xoxp-", 10, is_name) },
    Form { looks: has_digit, ..Form::new("slack-token", "xoxr-", 10, is_name) },
    Form { looks: has_digit, ..Form::new("slack-token", "xoxs-", 10, is_name) },
    Form { looks: has_digit, ..Form::new("google-key", "AIza", 35, is_name) },
    Form::new("gitlab-token", "glpat-", 20, is_name),
    Form::new("npm-token", "npm_", 36, is_alphanumeric),
    Form { looks: has_digit, ..Form::new("stripe-key", "sk_live_", 16, is_alphanumeric) },
    Form { looks: has_digit, ..Form::new("stripe-key", "rk_live_", 16, is_alphanumeric) },
    Form { looks: mixed, ..Form::new("hugging-face-token", "hf_", 30, is_alphanumeric) },
    Form { looks: mixed, ..Form::new("pypi-token", "pypi-AgE", 50, is_name) },
    Form { looks: random, ..Form::new("slack-token", "xapp-", 20, is_name) },
];

fn any(_: &[u8]) -> bool {
    true
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_name(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

fn has_digit(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
}

fn mixed(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_uppercase) && text.iter().any(u8::is_ascii_lowercase)
}

/// Not words with hyphens between them: `sk-spinner-3-circles`.
fn random(text: &[u8]) -> bool {
    const LONGER_THAN_A_WORD: usize = 20;
    let long = text.split(|byte| matches!(byte, b'-' | b'_')).any(|part| part.len() >= LONGER_THAN_A_WORD);
    has_digit(text) && (long || text.iter().any(u8::is_ascii_uppercase))
}

fn run(bytes: &[u8], of: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !of(*byte)).unwrap_or(bytes.len())
}

/// What stands after a word and spaces, and where it begins.
fn after_word<'a>(rest: &'a [u8], word: &[u8]) -> Option<(usize, &'a [u8])> {
    const SPACES: usize = 4;
    rest.get(..word.len()).filter(|found| found.eq_ignore_ascii_case(word))?;
    let after = rest.get(word.len()..)?;
    let spaces = run(after, |byte| byte == b' ');
    let token = after.get(spaces..).filter(|_| (1..=SPACES).contains(&spaces))?;
    Some((word.len() + spaces, token))
}

/// Where the token after `Bearer` begins and ends.
fn bearer(rest: &[u8]) -> Option<(usize, usize)> {
    let (start, token) = after_word(rest, b"bearer")?;
    let length = run(token, |byte| is_name(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'='));
    let plausible = length >= MIN_BEARER && has_digit(token.get(..length)?);
    plausible.then_some((start, start + length))
}

/// Where the user and the password after `Basic` begin and end: base64 of text with a colon in it, not any word.
fn basic(rest: &[u8]) -> Option<(usize, usize)> {
    let (start, token) = after_word(rest, b"basic")?;
    let length = run(token, |byte| is_alphanumeric(byte) || matches!(byte, b'+' | b'/'));
    let shown = token.get(..length.min(MAX_USER))?;
    // The last letters of what is cut, or has no padding, may stand for less than a byte.
    let decoded = BASE64.decode(shown.get(..length.min(MAX_USER) / 4 * 4)?).ok()?;
    let rest = shown.get(shown.len() / 4 * 4..)?;
    let decoded = [decoded, BASE64_NOPAD.decode(rest).unwrap_or_default()].concat();
    let text = str::from_utf8(&decoded).ok()?;
    let is_user = text.contains(':') && !text.contains(char::is_control) && mixed(shown);
    let padding = run(token.get(length..)?, |byte| byte == b'=');
    (length >= MIN_VALUE && is_user).then_some((start, start + length + padding))
}

/// Three parts of base64 with dots between them, of which the first is JSON.
fn jwt(rest: &[u8]) -> Option<usize> {
    let mut length = 0;
    for part in 0..3 {
        let text = rest.get(length..)?;
        let run = run(text, is_name);
        let is_json = part > 0 || text.starts_with(b"eyJ");
        if run < MIN_JWT || !is_json || part < 2 && text.get(run) != Some(&b'.') {
            return None;
        }
        length += run + usize::from(part < 2);
    }
    Some(length)
}

/// A private key from its first line to its last, or to where it is cut off.
fn private_key(rest: &[u8]) -> Option<usize> {
    const FENCE: &[u8] = b"-----";
    const LONGEST_NAME: usize = 40;
    let name = rest.strip_prefix(b"-----BEGIN ")?;
    let name_ends = name.iter().take(LONGEST_NAME).position(|byte| *byte == b'-')?;
    let is_private = name.get(..name_ends)?.windows(11).any(|words| words == b"PRIVATE KEY");
    let head = b"-----BEGIN ".len() + name_ends + FENCE.len();
    if !is_private || !name.get(name_ends..)?.starts_with(FENCE) {
        return None;
    }
    let body = rest.get(head..)?;
    let of_a_key = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || byte.is_ascii_whitespace()
            || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b':' | b',')
    };
    let mut length = run(body, of_a_key);
    // The headers of an old form have a hyphen: `Proc-Type`.
    while body.get(length) == Some(&b'-') && body.get(length + 1) != Some(&b'-') {
        length += 1 + run(body.get(length + 1..)?, of_a_key);
    }
    let tail = body.get(length..)?;
    let Some(after) = tail.strip_prefix(b"-----END ") else { return Some(head + length) };
    let name = after.iter().take(LONGEST_NAME).position(|byte| *byte == b'-').unwrap_or_default();
    let fence = after.get(name..).filter(|rest| rest.starts_with(FENCE)).map_or(0, |_| FENCE.len());
    Some(head + length + b"-----END ".len() + name + fence)
}

/// The password of `scheme://user:password@host`, given where the first colon stands.
fn password_in_address(bytes: &[u8], at: usize) -> Option<Hit> {
    let rest = bytes.get(at..)?.strip_prefix(b"://")?;
    let start = at + 3;
    let of_a_user =
        |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>' | b'[' | b'\\');
    let user = rest.get(..rest.len().min(MAX_USER))?;
    let user = user.get(..run(user, of_a_user))?;
    let end = user.iter().rposition(|byte| *byte == b'@')?;
    let colon = user.get(..end)?.iter().position(|byte| *byte == b':')?;
    let hides = matches!(user.get(colon + 1), None | Some(b'$' | b'{' | b'*' | b'@'));
    (!hides && colon + 1 < end).then_some(Hit { start: start + colon + 1, end: start + end, kind: "password" })
}

/// The value of `password = value` and the like, given where the `=` or `:` stands.
fn assigned(text: &str, at: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let (before, after) = bytes.split_at_checked(at)?;
    let next = after.get(1).copied();
    let is_comparison = matches!((after.first()?, next), (b':', Some(b':')) | (b'=', Some(b'=')))
        || matches!(before.last(), Some(b'=' | b'!' | b':' | b'<' | b'>'));
    if is_comparison || !is_secret_name(name_before(before)?) {
        return None;
    }
    let from = at + 1 + usize::from(matches!(next, Some(b'=' | b'>')));
    let rest = bytes.get(from..)?;
    let spaces = run(rest, |byte| byte == b' ' || byte == b'\t');
    let slashes = run(rest.get(spaces..)?, |byte| byte == b'\\');
    let quote = rest.get(spaces + slashes).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let start = from + spaces + quote.map_or(0, |_| slashes + 1);
    let value = bytes.get(start..)?;
    let value = value.get(..value.len().min(MAX_VALUE))?;
    let ends = |byte: u8| match quote {
        Some(quote) => byte == quote || byte == b'\\' || byte == b'\n',
        None => {
            byte.is_ascii_whitespace()
                || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b')' | b'}' | b']' | b'\\')
        }
    };
    let end = start + value.iter().position(|byte| ends(*byte)).or((value.len() < MAX_VALUE).then_some(value.len()))?;
    let plausible = plausible(text.get(start..end)?, quote.is_some());
    plausible.then_some(Hit { start, end, kind: "value" })
}

/// The name that stands before an `=` or `:`, without quotes and spaces.
fn name_before(before: &[u8]) -> Option<&str> {
    let from = before.len().saturating_sub(MAX_NAME);
    let near = before.get(from..)?.trim_ascii_end();
    let end = near.iter().rposition(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'))? + 1;
    let near = near.get(..end)?;
    let start = near.iter().rposition(|byte| !is_name(*byte) && *byte != b'.').map_or(0, |other| other + 1);
    str::from_utf8(near.get(start..)?).ok()
}

/// Whether the values in a list of this name are secret: `passwords`. Tokens alone are what models count.
pub(super) fn is_secret_list(name: &str) -> bool {
    let one = name.strip_suffix(['s', 'S']).unwrap_or(name);
    let plain = plain(one);
    let of_whom = ["access", "api", "auth", "bearer", "refresh"];
    let is_access = plain.strip_suffix("token").is_some_and(|rest| of_whom.iter().any(|of| rest.ends_with(of)));
    is_secret_name(name) || is_access || is_secret_name(one) && !plain.ends_with("token")
}

/// Whether a number of this name, or a number in a list of it, is secret: `pin`, but not `spin`.
pub(super) fn is_secret_number(name: &str) -> bool {
    let one = name.strip_suffix('s').unwrap_or(name);
    let word = one.len().checked_sub(3).and_then(|start| one.split_at_checked(start));
    let is_pin = word.is_some_and(|(before, word)| match word {
        "pin" | "PIN" => before.bytes().next_back().is_none_or(|byte| !byte.is_ascii_alphanumeric()),
        "Pin" => true,
        _ => false,
    });
    is_pin || NUMBER_NAMES.iter().any(|end| plain(one).ends_with(end))
}

fn plain(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Whether what has this name is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let plain = plain(name);
    SECRET_NAMES.iter().any(|end| plain.ends_with(end))
}

/// Whether a value can be a secret: not a word, not a name of something else, not what stood for one already.
pub(super) fn plausible(value: &str, quoted: bool) -> bool {
    let bytes = value.as_bytes();
    let refers = matches!(bytes.first(), None | Some(b'$' | b'<' | b'{' | b'[' | b'*' | b'%' | b'('));
    let has_letter = bytes.iter().any(u8::is_ascii_alphabetic);
    let odd = bytes.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b'[' | b'{' | b'<'));
    let is_path = value.split('.').all(|part| {
        part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') && part.bytes().all(is_word)
    });
    let is_name_of_code = !quoted && value.contains('.') && is_path;
    (MIN_VALUE..=MAX_VALUE).contains(&bytes.len())
        && has_letter
        && has_digit(bytes)
        && !refers
        && !odd
        && !is_name_of_code
}

#[cfg(test)]
mod tests;
