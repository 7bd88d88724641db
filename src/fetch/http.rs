//! The HTTP client behind [`Fetch`].
//!
//! reqwest carries the requests; everything that decides is ours: redirects are not followed, bodies are decoded and
//! bounded here, addresses pass the guard, and the only repetition is hyper's, of a request that never left because
//! its pooled connection had been closed. A connection that breaks after that is a failure, since the server may have
//! seen the request: one of its own class where the connection may have been a kept one (`kept.rs`).

use super::classify;
use super::cookies::Cookies;
use super::decode::{Broken, Decoded, Decoder, Flow};
use super::fenced::Fenced;
use super::fields;
use super::guard::Guard;
use super::kept::{self, Kept};
use super::own::{self, Own};
use super::patience::{Patience, head_limit};
use super::resolve::Resolver;
use super::{Fetch, Request, Timeouts};
use crate::clock::Clock;
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Answer, Failure, FailureClass, Head, Remark, Visit};
use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONNECTION, CONTENT_ENCODING, COOKIE, HeaderMap, HeaderName,
    HeaderValue, SET_COOKIE, USER_AGENT,
};
use reqwest::{Method, Response};
use std::collections::HashMap;
use std::mem::take;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use url::Url;

/// Room that a `Content-Length` may claim before its octets are there.
const MAX_TRUST: u64 = 256 * 1_024;

/// Header fields of an answer, beyond which it is refused; real sites send more than 100.
const MAX_FIELDS: usize = 256;

/// Octets of an HTTP/2 head.
const MAX_HEAD: u32 = 100 * 1_024;

/// What the client needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `User-Agent`; robots.txt wants our product token in it.
    pub user_agent: String,
    /// Fields sent with every request; one of the same name replaces ours.
    pub headers: Vec<(String, String)>,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Most octets of a body after decoding.
    pub max_body: usize,
    /// Most octets of a body on the wire.
    pub max_wire: usize,
    /// Proxy for every request (`http://`, `https://`, `socks5://`...). It resolves the names of `http` and
    /// `socks5h` requests itself, beyond the reach of the address guard. The environment names none.
    pub proxy: Option<Url>,
    /// Whether certificates are verified.
    pub certificates: Certificates,
    /// Special networks that may be asked all the same, such as `127.0.0.0/8`, and addresses of this machine.
    pub allow: Vec<IpNet>,
    /// Ports of the index and the store of this process, on which nobody is asked.
    pub own_ports: Vec<u16>,
    /// Addresses of names that the resolver is not asked for, as in `/etc/hosts`; the guard holds for them too.
    pub hosts: HashMap<String, Vec<IpAddr>>,
    /// Idle connections kept open for each host.
    pub idle_per_host: usize,
    /// How long an idle connection is kept open.
    pub idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            user_agent: concat!("huntsman/", env!("CARGO_PKG_VERSION")).to_owned(),
            headers: Vec::new(),
            timeouts: Timeouts::default(),
            max_body: 10 << 20,
            max_wire: 10 << 20,
            proxy: None,
            certificates: Certificates::Verified,
            allow: Vec::new(),
            own_ports: Vec::new(),
            hosts: HashMap::new(),
            idle_per_host: 2,
            idle: Duration::from_secs(15),
        }
    }
}

/// Whether a server must prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificates {
    /// A chain to a root that the system trusts, valid now, for this name.
    Verified,
    /// Any certificate will do.
    Unverified,
}

/// Why no client could be made: a setting is wrong or the system lacks what TLS needs.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A header field that cannot be sent.
    #[error("header field {0:?} cannot be sent")]
    Header(String),
    /// The proxy or the TLS set-up.
    #[error("failed to set up the HTTP client")]
    Setup(#[from] reqwest::Error),
}

/// Gets URLs over HTTP/1.1 and HTTP/2.
pub struct HttpClient {
    /// With connections that are kept...
    client: reqwest::Client,
    /// ... and with one for each request, made when the first host needs it.
    alone: OnceLock<reqwest::Client>,
    settings: Settings,
    resolver: Arc<Resolver>,
    fields: HeaderMap,
    sent: Vec<(String, String)>,
    clock: Clock,
    guard: Arc<Guard>,
    cookies: Cookies,
    kept: Kept,
}

impl HttpClient {
    /// A client with its own connections and cookies.
    pub fn new(mut settings: Settings, clock: Clock) -> Result<Self, ClientError> {
        // Fails where a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let fields = request_fields(&settings)?;
        let (allow, own_ports) = (take(&mut settings.allow), take(&mut settings.own_ports));
        let guard = Arc::new(Guard::new(allow, own_ports).beside(Own::new(own::read, clock)));
        let proxy = settings.proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let hosts = take(&mut settings.hosts);
        let resolver =
            Arc::new(Resolver::new(Arc::clone(&guard), hosts, proxy, settings.timeouts.connect, clock));
        Ok(Self {
            client: connected(&settings, &fields, &resolver, settings.idle_per_host)?,
            alone: OnceLock::new(),
            settings,
            resolver,
            sent: fields::shown(&fields),
            fields,
            clock,
            guard,
            cookies: Cookies::new(),
            kept: Kept::new(),
        })
    }

    /// Of a client that keeps no connections.
    fn alone(&self) -> &reqwest::Client {
        // What could be made once can be made again; if not, the other one serves.
        let make = || connected(&self.settings, &self.fields, &self.resolver, 0);
        self.alone.get_or_init(|| make().unwrap_or_else(|_| self.client.clone()))
    }

    /// Permits these networks, too, from now on.
    pub fn permit(&self, networks: impl IntoIterator<Item = ipnet::IpNet>) {
        self.guard.permit(networks);
    }

    /// The header fields of every request, for people: the values of the user's own are not shown. A cookie, where the
    /// host has set one, is not among them.
    pub fn sent(&self) -> &[(String, String)] {
        &self.sent
    }

    async fn exchange(
        &self,
        request: Request,
        started: Timestamp,
        first_byte: &mut Option<Timestamp>,
    ) -> Result<Answer, Failure> {
        let url = &request.url;
        self.guard.check(url).map_err(|why| failure(FailureClass::ForbiddenAddress, &why))?;
        let sleep = std::pin::pin!(tokio::time::sleep(head_limit(&self.settings.timeouts)));
        let mut patience = Patience::new(&self.settings.timeouts, self.clock, started, sleep);

        let mut get = reqwest::Request::new(Method::GET, url.clone());
        if let Some(cookies) = self.cookies.field(url, started) {
            get.headers_mut().insert(COOKIE, cookies);
        }
        let place = self.kept.place(url);
        let is_alone = self.kept.closes(place);
        let client = if is_alone { self.alone() } else { &self.client };
        if is_alone {
            get.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        *get.body_mut() = request.fence.map(|fence| reqwest::Body::wrap(Fenced(fence)));
        let tls = url.scheme() == "https";
        let response = patience.head(kept::watched(client.execute(get))).await.map_err(late)?;
        let (response, has_dialled) = response;
        let response = response.map_err(|error| {
            let failure = classify::failure(error, tls);
            let is_broken = failure.class == FailureClass::Incomplete;
            let may_be_kept = !is_alone && (!has_dialled || self.kept.came_free(place, started));
            if !(is_broken && may_be_kept) {
                return failure;
            }
            self.kept.give_up(place);
            Failure { class: FailureClass::Dropped, ..failure }
        })?;
        // The head is complete: a little later than its first byte, which errs on the polite side.
        let now = self.clock.now();
        *first_byte = Some(now);

        let mut answer = fields::answer(response.status().as_u16(), response.headers(), now);
        if request.keep_head {
            answer.head = Some(Box::new(Head {
                version: format!("{:?}", response.version()),
                peer: response.remote_addr(),
                fields: fields::all(response.headers()),
            }));
        }
        if answer.sets_cookie {
            self.cookies.take(url, response.headers().get_all(SET_COOKIE).iter(), now);
        }
        if answer.status < 200 {
            // Only an upgrade that nobody asked for gets here.
            let detail = format!("unexpected status {}", answer.status);
            return Err(Failure { class: FailureClass::Protocol, detail });
        }
        let max_body = request.max_body.unwrap_or(self.settings.max_body);
        let decoder = self.read_body(response, &mut patience, max_body, now, tls).await?;
        self.kept.answered(place, self.clock.now());
        let Decoded { octets, wire, truncated, is_as_named } =
            decoder.finish().map_err(|why| broken(&why))?;
        (answer.body, answer.wire_bytes, answer.truncated) = (octets, wire, truncated);
        answer.remarks.add(Remark::NotCodedAsNamed, !is_as_named);
        Ok(answer)
    }

    async fn read_body(
        &self,
        mut response: Response,
        patience: &mut Patience<'_>,
        max_body: usize,
        head: Timestamp,
        tls: bool,
    ) -> Result<Decoder, Failure> {
        let room = response.content_length().unwrap_or(0).min(MAX_TRUST) as usize;
        let codings = response.headers().get_all(CONTENT_ENCODING).iter();
        let codings = codings.filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(','));
        let mut decoder =
            Decoder::new(codings, room, max_body, self.settings.max_wire).map_err(|why| broken(&why))?;
        loop {
            let piece = patience.piece(response.chunk(), head, decoder.wire()).await.map_err(late)?;
            let Some(piece) = piece.map_err(|error| classify::failure(error, tls))? else {
                // The connection goes back to the pool in a task of its own. Were the next request of this host made before that has
                // run, it would find none idle and open a second one.
                tokio::task::yield_now().await;
                return Ok(decoder);
            };
            if decoder.push(&piece).map_err(|why| broken(&why))? == Flow::Full {
                // The rest is not read: dropping the answer closes its connection.
                return Ok(decoder);
            }
        }
    }
}

#[async_trait]
impl Fetch for HttpClient {
    async fn get(&self, request: Request) -> Visit {
        let started = self.clock.now();
        let mut first_byte = None;
        let result = self.exchange(request, started, &mut first_byte).await;
        Visit { started, first_byte, finished: self.clock.now(), result }
    }
}

/// A client that keeps so many idle connections for each host.
fn connected(
    settings: &Settings,
    fields: &HeaderMap,
    resolver: &Arc<Resolver>,
    idle_per_host: usize,
) -> Result<reqwest::Client, ClientError> {
    let mut builder = reqwest::Client::builder()
        .default_headers(fields.clone())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::clone(resolver))
        .tls_danger_accept_invalid_certs(settings.certificates == Certificates::Unverified)
        .connect_timeout(settings.timeouts.connect)
        .tcp_nodelay(true)
        .connector_layer(kept::Note)
        .pool_max_idle_per_host(idle_per_host)
        .pool_idle_timeout(settings.idle)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_FIELDS)
        .http2_max_header_list_size(MAX_HEAD);
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
    }
    Ok(builder.build()?)
}

/// The fields of every request, made once.
fn request_fields(settings: &Settings) -> Result<HeaderMap, ClientError> {
    let ours = [
        (USER_AGENT, settings.user_agent.as_str()),
        (ACCEPT, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        (ACCEPT_LANGUAGE, "en,*;q=0.5"),
        (ACCEPT_ENCODING, "gzip, deflate, br"),
    ];
    let mut fields = HeaderMap::new();
    for (name, value) in ours {
        let value = HeaderValue::from_str(value).map_err(|_| ClientError::Header(name.to_string()))?;
        fields.insert(name, value);
    }
    for (name, value) in &settings.headers {
        let unsendable = || ClientError::Header(name.clone());
        let mut value = HeaderValue::from_str(value).map_err(|_| unsendable())?;
        value.set_sensitive(true);
        fields.insert(HeaderName::try_from(name.as_str()).map_err(|_| unsendable())?, value);
    }
    Ok(fields)
}

fn failure(class: FailureClass, why: &dyn std::fmt::Display) -> Failure {
    Failure { class, detail: why.to_string() }
}

fn broken(why: &Broken) -> Failure {
    failure(FailureClass::Coding, why)
}

fn late(class: FailureClass) -> Failure {
    let detail = match class {
        FailureClass::FirstByteTimeout => "no complete head in time",
        FailureClass::StallTimeout => "the body stalled",
        FailureClass::TooSlow => "the body came too slowly",
        _ => "the whole took too long",
    };
    Failure { class, detail: detail.to_owned() }
}
