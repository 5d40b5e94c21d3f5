//! The way through a proxy.

use std::fmt::Display;

use responses::chain::TroubleKind;
use tokio::time::Instant;

use super::network::{BoxedStream, Network};
use super::{Clock, DialError, Origin, Path};
use crate::proxy::connect::{self, ConnectError, Refused};
use crate::proxy::socks::{self, SocksError, Target};
use crate::proxy::{Proxy, ProxyScheme};
use crate::tls::Tls;

/// What is needed to open a tunnel.
pub(super) struct Through<'a> {
    pub(super) network: &'a dyn Network,
    pub(super) tls: &'a Tls,
    pub(super) clock: Clock,
    pub(super) proxy: &'a Proxy,
}

impl Through<'_> {
    /// Opens a tunnel to a server.
    pub(super) async fn open(&self, to: &Origin, path: &mut Path) -> Result<BoxedStream, DialError> {
        path.via = Some(self.proxy.to_string().into());
        match (self.proxy.scheme, to.address()) {
            (ProxyScheme::Http | ProxyScheme::Https, _) => self.connect(to, path).await,
            (_, Some(address)) => self.socks(to, &[Target::Address((address, to.port).into())], path).await,
            (ProxyScheme::Socks5h, None) => self.socks(to, &[Target::Name(&to.host, to.port)], path).await,
            (ProxyScheme::Socks5, None) => {
                let targets = self.resolve(to, path).await?;
                self.socks(to, &targets, path).await
            }
        }
    }

    async fn connect(&self, to: &Origin, path: &mut Path) -> Result<BoxedStream, DialError> {
        let stream = self.reach(path).await?;
        let began = Instant::now();
        let stream = match self.proxy.scheme {
            ProxyScheme::Https => self.secure(stream).await?,
            _ => stream,
        };
        let target = to.to_string();
        let asking = connect::open(stream, &target, self.proxy.credentials.as_ref());
        let stream = self.answer(asking).await?.map_err(|error| match error {
            ConnectError::Refused(refused) => self.fault(refusal(&refused, self.proxy, to)),
            ConnectError::Io(_) => self.fault(broken(&error, self.proxy)),
            ConnectError::NotHttp | ConnectError::TooLarge => self.fault(error),
        })?;
        path.proxy = Some(began.elapsed());
        Ok(stream)
    }

    /// Asks for one target after the other, for as long as the proxy could not reach them.
    async fn socks(&self, to: &Origin, targets: &[Target<'_>], path: &mut Path) -> Result<BoxedStream, DialError> {
        let mut unreached = SocksError::NoTarget;
        for target in targets {
            let stream = self.reach(path).await?;
            let began = Instant::now();
            match self.answer(socks::open(stream, *target, self.proxy.credentials.as_ref())).await? {
                Ok(stream) => {
                    path.proxy = Some(began.elapsed());
                    return Ok(stream);
                }
                Err(error) if error.is_of_target() => unreached = error,
                Err(error) => return Err(self.fault(socks_advice(&error, self.proxy, to))),
            }
        }
        Err(self.fault(socks_advice(&unreached, self.proxy, to)))
    }

    /// The addresses of a server whose name the proxy is not to know.
    async fn resolve(&self, to: &Origin, path: &mut Path) -> Result<Vec<Target<'static>>, DialError> {
        let began = Instant::now();
        let what = format!("resolving the name {}", to.host);
        let limit = self.clock.limits.resolve;
        let addresses = self.clock.within(limit, &what, self.network.resolve(&to.host, to.port)).await?;
        let advice = "check the URL, or use socks5h:// if only the proxy knows the name";
        let addresses = addresses.map_err(|error| error.and(advice))?;
        path.resolve += began.elapsed();
        Ok(addresses.into_iter().take(self.clock.limits.addresses).map(Target::Address).collect())
    }

    /// Connects to the proxy itself.
    async fn reach(&self, path: &mut Path) -> Result<BoxedStream, DialError> {
        let Proxy { host, port, .. } = self.proxy;
        self.clock.connect(self.network, host, *port, path).await.map_err(|error| self.own(&error))
    }

    async fn secure(&self, stream: BoxedStream) -> Result<BoxedStream, DialError> {
        let config = self.tls.for_proxy().map_err(|error| self.fault(error))?;
        let stream = self.clock.tls(config, stream, &self.proxy.host).await.map_err(|error| self.own(&error))?;
        let stream = stream.map_err(|error| self.fault(error))?;
        Ok(Box::new(stream))
    }

    async fn answer<T>(&self, answer: impl Future<Output = T>) -> Result<T, DialError> {
        let what = format!("the answer of the proxy {}", self.proxy);
        let answered = self.clock.within(self.clock.limits.proxy, &what, answer).await;
        answered.map_err(|error| error.and(&format!("check scheme and port in {}", self.proxy.variable)))
    }

    /// What happened on the way to the proxy, as trouble with the proxy; a matter of time stays one.
    fn own(&self, error: &DialError) -> DialError {
        let kind = if error.kind() == TroubleKind::Timeout { TroubleKind::Timeout } else { TroubleKind::Proxy };
        DialError::new(kind, self.named(error))
    }

    fn fault(&self, what: impl Display) -> DialError {
        DialError::new(TroubleKind::Proxy, self.named(what))
    }

    fn named(&self, what: impl Display) -> String {
        format!("the proxy {} of {}: {what}", self.proxy, self.proxy.variable)
    }
}

/// What an HTTP proxy's no means, and what to do about it.
fn refusal(refused: &Refused, proxy: &Proxy, to: &Origin) -> String {
    let Refused { status, reason, schemes } = refused;
    let said = format!("{status} {reason}");
    let (said, variable) = (said.trim_end(), proxy.variable);
    match status {
        407 if !schemes.is_empty() && !schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic")) => format!(
            "it wants to know who asks by {}, and only Basic is spoken here: run a local proxy that speaks it, and name \
             that one in {variable}",
            schemes.join(" or ")
        ),
        407 if proxy.credentials.is_some() => {
            format!(
                "it does not accept the credentials in {variable} ({said}): correct them, and percent-encode what is not a letter or digit"
            )
        }
        407 => format!("it wants credentials ({said}): put them in {variable} as {}", example(proxy)),
        502..=504 => format!(
            "it could not reach {to} ({said}): check the URL, or name the host in NO_PROXY to go there directly"
        ),
        _ if to.port == 443 => format!(
            "it refuses to connect to {to} ({said}): have it allowed there, or name the host in NO_PROXY to go there directly"
        ),
        _ => format!(
            "it refuses to connect to {to} ({said}); some proxies allow port 443 only: have it allowed there, or name the \
             host in NO_PROXY to go there directly"
        ),
    }
}

/// What a SOCKS5 proxy's no means, and what to do about it.
fn socks_advice(error: &SocksError, proxy: &Proxy, to: &Origin) -> String {
    let variable = proxy.variable;
    match error {
        SocksError::NoMethod if proxy.credentials.is_some() => {
            format!("{error}: check whether it wants credentials at all, and which")
        }
        SocksError::NoMethod => format!("it wants credentials: put them in {variable} as {}", example(proxy)),
        SocksError::Login => format!("it does not accept the credentials in {variable}: correct them"),
        SocksError::Refused(_) => {
            format!(
                "it does not connect to {to}: {error}: check the URL, or name the host in NO_PROXY to go there directly"
            )
        }
        SocksError::Io(_) => broken(error, proxy),
        SocksError::NotSocks | SocksError::Name | SocksError::NoTarget => error.to_string(),
    }
}

/// What it means that a proxy leaves in place of an answer: some do so when they do not like what they are told.
fn broken(error: &impl Display, proxy: &Proxy) -> String {
    format!("{error} in place of an answer: check scheme, port and credentials in {}", proxy.variable)
}

/// How credentials are written.
fn example(proxy: &Proxy) -> String {
    proxy.to_string().replacen("://", "://user:password@", 1)
}

#[cfg(test)]
mod tests;
