use super::*;

/// What is found, and as what.
fn found<'a>(text: &'a str, known: &[&str]) -> Vec<(&'a str, &'static str)> {
    let known = Known::new(known.iter().map(|value| (*value).to_owned()).collect());
    hits(text, &known, true).into_iter().map(|hit| (&text[hit.start..hit.end], hit.kind)).collect()
}

#[test]
fn every_form_is_found_within_text_and_nothing_around_it() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P";
    let pem =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEow+/IBAAKC=\n-----END RSA PRIVATE KEY-----";
    let cut = "-----BEGIN PRIVATE KEY-----\\nMIIEowIBAAKC";
    let cases = [
        ("sk-proj-Ab1-cd_ef0123456789", "api-key"),
        ("sk-or-v1-0123456789abcdef0123456789abcdef", "api-key"),
        ("ghp_0123456789abcdefghijklmnopqrstuvwxyz", "github-token"),
        ("github_pat_11ABCDEFG0_abcdefghijklmnopqrstuvwxyz", "github-token"),
        ("AKIAIOSFODNN7EXAMPLE", "aws-key"),
        ("xoxb-1234567890-abc", "slack-token"),
        ("AIzaSyA0123456789012345678901234567890ab", "google-key"),
        ("glpat-abcdefghij-klmnopqrs", "gitlab-token"),
        ("npm_0123456789abcdefghijklmnopqrstuvwxyz", "npm-token"),
        ("sk_live_51H0123456789abcdefABCDEF", "stripe-key"),
        ("rk_live_51H0123456789abcdefABCDEF", "stripe-key"),
        ("hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh", "hugging-face-token"),
        ("pypi-AgEIcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIzLTQ1Njc4OWFiY2RlZgAC", "pypi-token"),
        ("xapp-1-A0123456789-0123456789012-abcdef0123456789abcdef", "slack-token"),
        (jwt, "jwt"),
        (pem, "private-key"),
        (cut, "private-key"),
    ];
    for (secret, kind) in cases {
        for (before, after) in [("", ""), ("key ", " end"), ("\"", "\""), ("(", ")"), ("ä", "ö"), ("=", "\n")] {
            let text = format!("{before}{secret}{after}");
            // What ends with what a key may hold cannot be told from it.
            let expected = if after == "\n" && secret == cut { format!("{secret}\n") } else { secret.to_owned() };
            let expected = if after == " end" && secret == cut { format!("{secret} end") } else { expected };
            assert_eq!(found(&text, &[]), [(expected.as_str(), kind)], "{text}");
        }
    }
}

#[test]
fn values_are_found_by_their_names() {
    for (text, value, kind) in [
        ("password=hunter2hunter", "hunter2hunter", "value"),
        ("PASSWORD: 'correct horse 1'", "", ""),
        ("db_password = \"p4ssw0rd!!\"", "p4ssw0rd!!", "value"),
        ("{\"api_key\": \"abcdef012345\"}", "abcdef012345", "value"),
        ("{\\\"api-key\\\":\\\"abcdef012345\\\"}", "abcdef012345", "value"),
        ("export MY_SECRET=abc123def456; ls", "abc123def456", "value"),
        ("--auth-token=abc123def456", "abc123def456", "value"),
        ("'secret' => 'abc123def456'", "abc123def456", "value"),
        ("Authorization: Bearer abcdef0123456789.x", "abcdef0123456789.x", "bearer"),
        ("Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy", "basic"),
        ("'authorization': 'basic dTpw", "", ""),
        ("Proxy-Authorization: basic  OmdlaGVpbQ==", "OmdlaGVpbQ==", "basic"),
        ("postgres://user:hunter2@db:5432/x", "hunter2", "password"),
        ("https://:tok@en@host/", "tok@en", "password"),
    ] {
        let expected = if value.is_empty() { vec![] } else { vec![(value, kind)] };
        assert_eq!(found(text, &[]), expected, "{text}");
    }
}

#[test]
fn text_that_only_looks_like_a_secret_is_left_alone() {
    for text in [
        "sk-spinner-3-circles sk-folding-cube-animation sk-1234",
        "password: String, token: &str, secret = get_secret1(a)",
        "token == abcdef012345, token::Kind123456, token != abc12345",
        "password = process.env.PASSWORD_1",
        "password=$PASSWORD1 secret=${SECRET_22} token=<your-token-1>",
        "max_tokens: 128000a tokens=12345678a",
        "AKIAIOSFODNN7EXAMPLES AKIA1234 xAKIAIOSFODNN7EXAMPLE",
        "https://host:8080/path@2 http://a/b:c@d ssh://git@host/x",
        "eyJhbGciOiJI.notajwt.x eyJ.eyJ.eyJ",
        "Bearer token and bearer authentication",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "the password is hidden; enter your token: ",
        "Basic authentication, basic programming, BASIC password Basic CONFIGURATION basic c2hvcnQ",
        "Basic aGVsbG8gd29ybGQgaXQgaXM= is base64 of words",
        "sk_live_configuration_of_the_shop rk_live_updates hf_transfer hf_hub_download_of_files_and_models_1234",
        "pypi-server-with-a-long-name-of-more-than-fifty-letters-and-digits-1234567890",
        "xapp-store-2024-release-of-the-application hf_abcdefghijklmnopqrstuvwxyzabcdefgh",
        "[redacted value 01234567] password=[redacted value 01234567] password: \"[redacted value 0123abcd]\"",
        "https://u:[redacted password 0123abcd]@host Bearer [redacted bearer 0123abcd]",
    ] {
        assert_eq!(found(text, &[]), [], "{text}");
    }
}

#[test]
fn known_values_are_found_anywhere_the_longest_first() {
    let known = ["planted-value", "planted-value-longer", "ümlaut-geheim"];
    assert_eq!(found("xplanted-value-longery", &known), [("planted-value-longer", "known")]);
    assert_eq!(found("planted-valueplanted-value", &known).len(), 2);
    assert_eq!(found("ein ümlaut-geheim", &known), [("ümlaut-geheim", "known")]);
    assert_eq!(found("password=planted-value", &known), [("planted-value", "known")]);
    assert_eq!(found("password=planted-value1", &known), [("planted-value1", "value")]);
}

#[test]
fn a_value_that_another_secret_reaches_into_is_hidden_to_its_end() {
    let text = "https://a:password=abc12345@host";
    let hidden = found(text, &["rd=abc"]);
    assert!(hidden.iter().any(|(text, _)| text.ends_with("12345") || text.ends_with("abc12345")), "{hidden:?}");
}
