//! The only place that puts things together: the network, the environment, the runtime.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use gateway::Gateway;
use tokio::runtime::{Builder, Runtime};
use transport::credentials::Environment;
use transport::dial::{DialLimits, SystemNetwork};
use transport::provider::Certificates;
use transport::proxy::{Proxies, ProxyError};
use transport::tls::{ClientIdentity, Pem, Tls, TlsSettings};
use transport::{Dial, ModelClient, Provider, Surroundings};

use crate::settings::{read_file, why};

/// A file of authorities to trust besides those of the system.
const CA_CERTIFICATE: &str = "CAPSTAN_CA_CERTIFICATE";

/// The most bytes of a file with certificates. The authorities of a whole system have a quarter of a million.
const MAX_PEM_BYTES: usize = 4 << 20;

/// What runs commands that do one thing and end.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| anyhow!("this machine gives no means to wait for a network: {error}"))
}

/// What serves many at once.
pub(crate) fn busy_runtime() -> anyhow::Result<Runtime> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| anyhow!("this machine gives no means to serve: {error}"))
}

/// A gateway that listens. To be called within a runtime.
pub(crate) fn gateway(
    settings: gateway::Settings,
    environment: &Environment,
    folder: &Path,
) -> anyhow::Result<Gateway> {
    let to_dial = {
        let environment = Arc::clone(environment);
        move |provider: &Provider| dial(provider, &environment).map_err(Into::into)
    };
    Ok(Gateway::start(settings, environment, &to_dial, folder)?)
}

/// The way out to this provider.
pub(crate) fn dial(provider: &Provider, environment: &Environment) -> anyhow::Result<Dial> {
    let tls = Tls::new(&tls_settings(&provider.certificates, environment)?)?;
    Ok(Dial::new(Arc::new(SystemNetwork::new(DialLimits::default())), proxies()?, tls))
}

/// A client of this provider. To be called within a runtime.
pub(crate) fn client(provider: Provider, dial: Dial, environment: Environment) -> anyhow::Result<ModelClient> {
    Ok(ModelClient::new(provider, Surroundings::new(dial, environment))?)
}

fn proxies() -> Result<Proxies, ProxyError> {
    // What is not Unicode names no proxy.
    let unicode =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Proxies::from_variables(unicode)
}

fn tls_settings(certificates: &Certificates, environment: &Environment) -> anyhow::Result<TlsSettings> {
    let of_all = environment(CA_CERTIFICATE).filter(|path| !path.is_empty());
    let of_all = of_all.map(|path| pem(path.as_ref(), CA_CERTIFICATE)).transpose()?;
    let own = certificates.authorities.as_deref().map(|path| pem(path, "ca_certificate")).transpose()?;
    let client = certificates.client.as_ref().map(|client| {
        let certificate = pem(&client.certificate, "client_certificate")?;
        let key = pem(&client.key, "client_key")?;
        anyhow::Ok(ClientIdentity { certificate, key })
    });
    Ok(TlsSettings { extra_roots: of_all.into_iter().chain(own).collect(), client: client.transpose()? })
}

/// Reads a file that a variable or a setting names.
fn pem(path: &Path, named_by: &str) -> anyhow::Result<Pem> {
    let name = format!("{} of {named_by}", path.display());
    let bytes = read_file(path, MAX_PEM_BYTES).map_err(|error| anyhow!("{name} cannot be read: {}", why(&error)))?;
    Ok(Pem { name: name.into(), bytes: bytes.into() })
}
