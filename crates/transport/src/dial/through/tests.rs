//! What a proxy's no means.

use super::*;
use crate::proxy::Proxies;

fn advice(url: &str, proxy: &str, status: u16, schemes: &[&str]) -> String {
    let to = Origin::of(&url.parse().unwrap()).unwrap();
    let proxies = Proxies::from_variables([("all_proxy", proxy)]).unwrap();
    let schemes = schemes.iter().map(|scheme| Box::from(*scheme)).collect();
    refusal(&Refused { status, reason: "No".into(), schemes }, proxies.proxy_for(&to).unwrap(), &to)
}

#[test]
fn a_no_comes_with_what_to_do_about_it() {
    let (tls, plain) = ("https://api.test", "http://api.test");
    let (nameless, known) = ("http://p:3128", "http://somebody:secret@p:3128");
    let table: [(&str, &str, u16, &[&str], &str); 9] = [
        (
            tls,
            nameless,
            407,
            &["Basic"],
            "wants credentials (407 No): put them in all_proxy as http://user:password@p:3128",
        ),
        (tls, nameless, 407, &[], "put them in all_proxy as http://user:password@p:3128"),
        (tls, known, 407, &["basic"], "it does not accept the credentials in all_proxy (407 No)"),
        (tls, known, 407, &["Negotiate", "NTLM"], "by Negotiate or NTLM, and only Basic is spoken here"),
        (tls, known, 407, &["NTLM", "Basic"], "it does not accept the credentials"),
        (tls, nameless, 403, &[], "it refuses to connect to api.test:443 (403 No): have it allowed"),
        (plain, nameless, 403, &[], "it refuses to connect to api.test:80 (403 No); some proxies allow port 443 only"),
        (plain, nameless, 405, &[], "name the host in NO_PROXY"),
        (tls, nameless, 503, &[], "it could not reach api.test:443 (503 No)"),
    ];
    for (url, proxy, status, schemes, expected) in table {
        let advice = advice(url, proxy, status, schemes);
        assert!(advice.contains(expected), "{advice}");
        assert!(!advice.contains("secret") && !advice.contains("somebody"), "{advice}");
    }
}
