//! No secret is shown, whatever else is wrong.

use config::{ConfigError, Layers};

use crate::{PATH, file};

const SECRET: &str = "hunter2";

/// Settings in which only the secret is secret, and only where it is.
const SETTINGS: &str = "\
model = 'x'
api_key = 'hunter2'
proxy = 'http://me:hunter2@host'
[provider]
bearer_token = ['hunter2']
http_headers = { Authorization = 'Bearer hunter2', x = 'hunter2' }
inline = { client_secret = 'hunter2', other = 1 }
[provider.http_headers_2.http_headers]
x-other = '''
hunter2'''
[list]
all = [{ password = 'hunter2' }]
";

fn hides(error: &ConfigError) {
    for shown in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!shown.contains(SECRET) && shown.contains('…'), "{shown}");
    }
}

#[test]
fn a_line_with_a_secret_is_quoted_without_it() {
    let mut settings = file(SETTINGS);
    let error = settings.read::<u64>("api_key").unwrap_err();
    let expected = "~/.capstan/config.toml:2:11: expected a whole number, found a string
     2 | api_key = …
       |           ^";
    assert_eq!(error.to_string(), expected);
    hides(&settings.read::<u64>("proxy").unwrap_err());
    hides(&settings.refuse("proxy", "not an address"));
    let mut provider = settings.table("provider").unwrap();
    hides(&provider.read::<Vec<u64>>("bearer_token").unwrap_err());
    hides(&provider.read::<u64>("http_headers").unwrap_err());
    let mut headers = provider.table("http_headers").unwrap();
    hides(&headers.read::<u64>("x").unwrap_err());
    hides(&headers.finish().unwrap_err());
    hides(&provider.table("inline").unwrap().read::<Vec<u64>>("other").unwrap_err());
    let mut far = provider.table("http_headers_2").unwrap().table("http_headers").unwrap();
    hides(&far.read::<u64>("x-other").unwrap_err());
    hides(&settings.table("list").unwrap().read::<Vec<String>>("all").unwrap_err());
    hides(&file(SETTINGS).table("provider").unwrap().finish().unwrap_err());
}

#[test]
fn broken_toml_does_not_show_the_secret_it_breaks() {
    for text in [
        "api_key = hunter2",
        "api_key = 'hunter2",
        "api_key = \"hunter2",
        "api_key = '''\nhunter2",
        "api_key 'hunter2'",
        "api_key: hunter2",
        "api_key = 'x' hunter2",
        "[http_headers]\nAuthorization = Bearer hunter2",
        "[a.http_headers]\nx = hunter2",
        "http_headers = {\nx = 'a',\ny = hunter2 }",
        "http_headers = { x = 'hunter2' ]",
        "password = [\n'a', # it's\n'hunter2'\n'b']",
        "token = 'hunter2'\ntoken = 'hunter2'",
        "token = 'a'\ntoken.x = 'hunter2'",
        "model = 'x' api_key = 'hunter2'",
        "proxy = 'http://me:hunter2@host",
        "secret = 'a'\r\nsecret = 'hunter2'\r\n",
    ] {
        let error = Layers::new().file(PATH, text).unwrap_err();
        let shown = format!("{error}\n{error:?}");
        assert!(!shown.contains(SECRET), "{text:?}: {shown}");
    }
}

#[test]
fn arguments_and_variables_are_not_repeated() {
    for argument in ["api_key:hunter2", "api_key hunter2", "'hunter2", "[hunter2=5", "a b hunter2=5"] {
        let error = Layers::new().argument(argument).unwrap_err();
        assert!(!format!("{error}{error:?}").contains(SECRET), "{error}");
    }
    let layers = Layers::new().argument("api_key=hunter2").unwrap();
    let mut settings = layers.environment("TOKEN", "token", "{ x = 'hunter2' }").unwrap().merge();
    for error in [settings.read::<u64>("api_key").unwrap_err(), settings.read::<u64>("token").unwrap_err()] {
        assert!(!format!("{error}{error:?}").contains(SECRET), "{error}");
    }
}

#[test]
fn lists_of_settings_and_debugging_do_not_show_secrets() {
    let layers = Layers::new().file(PATH, SETTINGS).unwrap();
    assert!(!format!("{layers:?}").contains(SECRET));
    let settings = layers.argument("x_token=hunter2").unwrap();
    let settings = settings.argument("url=https://host/?api_key=hunter2").unwrap().merge();
    assert!(!format!("{settings:?} {settings:#?} {:?}", settings.origin("api_key")).contains(SECRET));
    let entries = settings.entries();
    for entry in &entries {
        let hidden = entry.value.contains("\"…\"");
        assert!(
            !entry.value.contains(SECRET) && hidden != ["model", "provider.inline.other"].contains(&&*entry.key),
            "{entry:?}"
        );
    }
    assert_eq!(entries.len(), 12);
}

#[test]
fn a_token_alone_on_a_line_is_not_taken_for_a_key() {
    for text in [
        "[http_headers]\nhunter2",
        "[http_headers]\nx = \nhunter2 = ",
        "api_key = ' 1,\nhunter2",
        "api_key = '\n\"hunter2\" = 1",
    ] {
        let error = Layers::new().file(PATH, text).unwrap_err();
        assert!(!error.to_string().contains(SECRET), "{text:?}: {error}");
    }
}
