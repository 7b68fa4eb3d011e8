//! The HTTP/1.1 client for requests between nodes. It uses TLS if a node's `node_url` begins with
//! `https://`.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(3);

/// Sends requests to other nodes and pools idle connections. Clones share the pool.
pub type NodeClient = Client<HttpsConnector<HttpConnector>, Body>;

/// Creates a client that trusts the certificate authorities of this system.
pub fn node_client() -> anyhow::Result<NodeClient> {
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "could not read a certificate authority of this system; continuing without it");
    }
    // Without any certificate authority, only plain http works.
    let mut trusted = RootCertStore::empty();
    trusted.add_parsable_certificates(found.certs);
    client(trusted).context("could not set up TLS between nodes")
}

fn client(trusted: RootCertStore) -> Result<NodeClient, rustls::Error> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(CONNECT));
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

#[cfg(test)]
mod tests {
    use http::Uri;
    use rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// A TLS server that answers each request with 204, and its certificate.
    async fn node() -> (Uri, CertificateDer<'static>) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = own.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let uri = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                stream.read_u8().await.unwrap();
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (uri.parse().unwrap(), certificate)
    }

    #[tokio::test]
    async fn a_node_is_reached_over_tls_when_its_certificate_is_trusted_and_not_else() {
        let (uri, certificate) = node().await;
        let stranger = client(RootCertStore::empty()).unwrap();
        let error = stranger.get(uri.clone()).await.unwrap_err();
        assert!(error.is_connect(), "{error:?}");
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate).unwrap();
        let answer = client(trusted).unwrap().get(uri).await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}
