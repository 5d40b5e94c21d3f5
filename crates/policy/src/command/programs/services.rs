//! Programs that change what others see: hosts of code, clouds, clusters, containers.

use super::Program;
use super::verbs::Verbs;
use crate::effects::Nature::{Builds, Destroys, Fetches, Looks, Publishes};

const CONTEXT: &str = "this option makes it talk to somebody else";

static DOCKER: Verbs = Verbs {
    natures: &[
        (
            Looks,
            &[
                "ps",
                "images",
                "logs",
                "inspect",
                "version",
                "info",
                "top",
                "stats",
                "port",
                "diff",
                "history",
                "events",
                "image ls",
                "container ls",
                "volume ls",
                "network ls",
                "compose ps",
                "compose logs",
                "compose config",
                "context ls",
                "buildx ls",
                "buildx version",
                "image inspect",
            ],
        ),
        (Builds, &["build", "compose build", "buildx build", "buildx bake", "image build"]),
        (
            Fetches,
            &[
                "pull",
                "run",
                "exec",
                "compose",
                "start",
                "create",
                "search",
                "image pull",
                "attach",
                "load",
                "import",
                "cp",
                "commit",
            ],
        ),
        (Publishes, &["push", "login", "logout", "image push", "compose push", "tag"]),
        (
            Destroys,
            &[
                "rm",
                "rmi",
                "kill",
                "stop",
                "restart",
                "pause",
                "unpause",
                "system",
                "prune",
                "volume",
                "network",
                "image",
                "container",
                "compose down",
                "compose rm",
                "compose kill",
                "swarm",
                "service",
                "stack",
                "node",
                "context",
                "update",
                "rename",
                "plugin",
            ],
        ),
    ],
    values: &["-H", "--host", "-c", "--context", "-l", "--log-level"],
    unclear: &[
        ("-H", CONTEXT),
        ("--host", CONTEXT),
        ("--context", CONTEXT),
        ("--config", CONTEXT),
        ("--push", "it pushes what it builds"),
        ("--output", "it puts what it builds somewhere"),
        ("--cache-to", "it puts what it builds somewhere"),
        ("--builder", CONTEXT),
        ("--ssh", "it gives keys to what it builds"),
        ("--allow", "it gives rights to what it builds"),
    ],
    folders: &["--project-directory"],
    ..Verbs::PLAIN
};

static KUBECTL: Verbs = Verbs {
    natures: &[
        (
            Fetches,
            &[
                "get",
                "describe",
                "logs",
                "top",
                "explain",
                "api-resources",
                "version",
                "cluster-info",
                "diff",
                "events",
                "auth",
            ],
        ),
        (Destroys, &["delete", "drain", "cordon", "uncordon", "taint", "evict"]),
    ],
    other: Publishes,
    alone: Looks,
    values: &["-n", "--namespace", "--context", "-s", "--server", "--kubeconfig"],
    unclear: &[("--kubeconfig", CONTEXT), ("--server", CONTEXT), ("-s", CONTEXT)],
    remote: true,
    ..Verbs::PLAIN
};

static HELM: Verbs = Verbs {
    natures: &[
        (Looks, &["version", "help", "env"]),
        (Builds, &["template", "lint", "create", "package"]),
        (Fetches, &["list", "get", "status", "history", "repo", "search", "pull", "show", "dependency", "fetch"]),
        (Destroys, &["uninstall", "delete", "rollback"]),
    ],
    other: Publishes,
    unclear: &[("--post-renderer", "this option runs another program"), ("--kubeconfig", CONTEXT)],
    remote: true,
    ..Verbs::PLAIN
};

static TERRAFORM: Verbs = Verbs {
    natures: &[
        (Looks, &["version", "help", "providers", "graph", "output"]),
        (Builds, &["fmt", "validate", "console", "workspace", "get"]),
        (Fetches, &["init", "plan", "show", "refresh", "state list", "state show", "preview"]),
        (Destroys, &["destroy", "state", "taint", "untaint", "force-unlock"]),
    ],
    other: Publishes,
    folders: &["-chdir", "--cwd", "-C"],
    remote: true,
    ..Verbs::PLAIN
};

static FORGE: Verbs = Verbs {
    natures: &[
        (Looks, &["version", "help", "completion"]),
        (
            Fetches,
            &[
                "pr list",
                "pr view",
                "pr diff",
                "pr checks",
                "pr status",
                "pr checkout",
                "issue list",
                "issue view",
                "issue status",
                "run list",
                "run view",
                "run watch",
                "run download",
                "repo view",
                "repo list",
                "repo clone",
                "release list",
                "release view",
                "release download",
                "search",
                "browse",
                "workflow list",
                "workflow view",
                "mr list",
                "mr view",
                "mr diff",
                "mr checkout",
                "auth status",
                "label list",
                "gist list",
                "gist view",
                "status",
                "ci view",
                "ci list",
                "ci status",
            ],
        ),
        (
            Destroys,
            &[
                "repo delete",
                "release delete",
                "issue delete",
                "repo archive",
                "run delete",
                "cache delete",
                "secret delete",
            ],
        ),
    ],
    other: Publishes,
    values: &["-R", "--repo"],
    remote: true,
    ..Verbs::PLAIN
};

static CLOUD: Verbs = Verbs { other: Publishes, alone: Publishes, ..Verbs::PLAIN };

pub(super) fn find(name: &str) -> Option<Program> {
    Some(Program::Verbs(match name {
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => &DOCKER,
        "kubectl" | "oc" | "kustomize" => &KUBECTL,
        "helm" => &HELM,
        "terraform" | "tofu" | "pulumi" | "terragrunt" => &TERRAFORM,
        "gh" | "glab" | "hub" | "tea" => &FORGE,
        "aws" | "gcloud" | "az" | "gsutil" | "doctl" | "flyctl" | "fly" | "vercel" | "netlify" | "heroku"
        | "wrangler" | "firebase" | "mail" | "sendmail" | "mutt" | "rclone" | "s3cmd" | "ansible"
        | "ansible-playbook" | "psql" | "mysql" | "redis-cli" | "mongosh" | "ngrok" | "cloudflared" => &CLOUD,
        _ => return None,
    }))
}
