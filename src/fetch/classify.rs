//! Errors of the HTTP stack into failure classes, by type and kind, never by their text.

use super::fenced::Withheld;
use super::resolve::LookupFailure;
use crate::crawl::visit::{Failure, FailureClass};
use rustls::CertificateError;
use std::error::Error;
use std::io::ErrorKind;

/// The failure that `error` is. `tls` says whether the URL asked for TLS.
pub(super) fn failure(error: reqwest::Error, tls: bool) -> Failure {
    let error = error.without_url();
    Failure { class: class(&error, tls), detail: detail(&error) }
}

fn class(error: &reqwest::Error, tls: bool) -> FailureClass {
    let connecting = error.is_connect();
    if connecting && error.is_timeout() {
        return FailureClass::ConnectTimeout;
    }
    let known = chain(error).find_map(|cause| known(cause, connecting, tls));
    match known {
        Some(class) => class,
        None if error.is_dns() => FailureClass::Dns,
        None if connecting => FailureClass::Connect,
        None if error.is_builder() => FailureClass::Protocol,
        None => FailureClass::Incomplete,
    }
}

/// The class that one cause in the chain decides by itself.
fn known(cause: &(dyn Error + 'static), connecting: bool, tls: bool) -> Option<FailureClass> {
    if let Some(lookup) = cause.downcast_ref::<LookupFailure>() {
        return Some(match lookup {
            LookupFailure::NoSuchHost(_) => FailureClass::NoSuchHost,
            LookupFailure::Unavailable(..) | LookupFailure::TooLate(_) => FailureClass::Dns,
            LookupFailure::Forbidden(_) => FailureClass::ForbiddenAddress,
        });
    }
    if cause.is::<Withheld>() {
        return Some(FailureClass::Aborted);
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    if let Some(h2) = cause.downcast_ref::<h2::Error>() {
        // What we refused broke the rules; what the other end reset or left was not brought to its end.
        let is_ours = h2.is_library() && !h2.is_io();
        return Some(if is_ours { FailureClass::Protocol } else { FailureClass::Incomplete });
    }
    if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
        return match () {
            () if hyper.is_parse_too_large() => Some(FailureClass::HeadTooLarge),
            () if hyper.is_parse() => Some(FailureClass::Protocol),
            () if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() => {
                Some(FailureClass::Incomplete)
            }
            () => None,
        };
    }
    let io = cause.downcast_ref::<std::io::Error>()?;
    match io.kind() {
        // What a TLS library wraps decides, not the wrapper.
        ErrorKind::Other if io.get_ref().is_some() => None,
        _ if io.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>) => None,
        // Connected, but the handshake ended: only TLS reads while it connects.
        ErrorKind::UnexpectedEof if connecting && tls => Some(FailureClass::Tls),
        ErrorKind::TimedOut if connecting => Some(FailureClass::ConnectTimeout),
        _ if connecting => Some(FailureClass::Connect),
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Some(FailureClass::Protocol),
        ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::TimedOut => Some(FailureClass::Incomplete),
        _ => None,
    }
}

fn of_tls(error: &rustls::Error) -> FailureClass {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
    };
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                FailureClass::TlsExpired
            }
            NotValidForName | NotValidForNameContext { .. } => FailureClass::TlsName,
            _ => FailureClass::TlsUntrusted,
        },
        _ => FailureClass::Tls,
    }
}

/// The error and its causes, outermost first. `io::Error` hides the error it wraps from `source`.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
        Some(cause)
    })
}

/// The innermost causes in words. The outer ones say only that a request failed.
fn detail(error: &reqwest::Error) -> String {
    let mut words: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
    words.dedup();
    if words.is_empty() {
        return error.to_string();
    }
    let inner = words.len().saturating_sub(2);
    words.split_off(inner).join(": ")
}
