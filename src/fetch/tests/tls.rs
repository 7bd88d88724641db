//! Servers that should speak TLS, and one that does, with a certificate of its own making.

use super::*;
use crate::fetch::http::Certificates;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read, Write};

async fn secure(address: SocketAddr, client: &HttpClient) -> Result<Answer, Failure> {
    get(client, Url::parse(&format!("https://{address}/")).unwrap()).await
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls() {
    let talker = Server::start(|mut peer| async move {
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        peer.gone().await;
    })
    .await;
    let closer = Server::start(|mut peer| async move {
        let _ = peer.stream.read(&mut [0; 16_384]).await;
    })
    .await;
    assert_eq!(class(secure(talker.address, &client()).await), FailureClass::Tls);
    assert_eq!(class(secure(closer.address, &client()).await), FailureClass::Tls);
}

/// Speaks TLS with a self-signed certificate for 127.0.0.1 (made with `openssl req -x509`, valid until 2126).
fn self_signed() -> SocketAddr {
    let certificate = CertificateDer::from(&include_bytes!("self_signed.cert.der")[..]);
    let key = PrivateKeyDer::try_from(&include_bytes!("self_signed.key.der")[..]).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut octet = [0];
                match stream.read(&mut octet) {
                    Ok(1) => head.push(octet[0]),
                    _ => break,
                }
            }
            let _ = stream.write_all(&with_body("", b"over TLS"));
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for() {
    let address = self_signed();
    assert_eq!(class(secure(address, &client()).await), FailureClass::TlsUntrusted);
    let trusting = client_with(|settings| settings.certificates = Certificates::Unverified);
    assert_eq!(secure(address, &trusting).await.unwrap().body, b"over TLS");
}
