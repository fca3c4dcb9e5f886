//! Certificates from a plan's rows, without randomness: serials and signatures are derived.

use super::brought;
use super::key::{KeyError, PrivateKey};
use super::label::Deriver;
use super::label::Purpose;
use crate::imports;
use crate::plan::CertPlan;
use crate::plan::certs::{Attribute, Eku, Kind, leaf_usages};
use hmac::{Hmac, KeyInit, Mac};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, SignatureAlgorithm,
};
use sha2::Sha256;
use std::cell::RefCell;
use time::OffsetDateTime;

/// Why a certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The library refused the parameters.
    #[error("certificate {row} of {cn}: {source}")]
    Library {
        /// The row of the table.
        row: &'static str,
        /// The common name.
        cn: String,
        /// The library's error.
        source: rcgen::Error,
    },
    /// A date that X.509 cannot say.
    #[error("certificate {row}: a date is out of range")]
    Date {
        /// The row of the table.
        row: &'static str,
    },
    /// The certificate cannot be put together: a fault.
    #[error("certificate {row} cannot be encoded")]
    Encode {
        /// The row of the table.
        row: &'static str,
    },
    /// The authority's key does not sign.
    #[error(transparent)]
    Sign(KeyError),
    /// An external authority, or an imported one whose key was not opened.
    #[error("the key of the authority that issues {row} is not here")]
    NoKey {
        /// The row of the table.
        row: &'static str,
    },
    /// HMAC refused its key: impossible for 32 bytes.
    #[error("a serial number cannot be derived")]
    Serial,
}

/// A certificate authority: derived with its key, or brought along.
pub struct Authority<'a> {
    origin: Origin<'a>,
    serial_key: zeroize::Zeroizing<[u8; 32]>,
}

enum Origin<'a> {
    Derived(Box<Derived>),
    Brought(&'a imports::Issuer),
}

struct Derived {
    params: CertificateParams,
    key: PrivateKey,
    pem: String,
}

impl<'a> Authority<'a> {
    /// Makes and signs a CA certificate.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn new(plan: &CertPlan, key: PrivateKey, deriver: &Deriver) -> Result<Self, CertificateError> {
        let mut params = params(plan, &key)?;
        let serial_key = deriver.purpose_key(Purpose::Serial);
        let tbs = to_be_signed(&key, |signer| params.self_signed(signer).map(drop), plan)?;
        params.serial_number = Some(serial(&serial_key, &tbs)?);
        let certificate = params.self_signed(&key).map_err(|source| library(plan, source))?;
        let origin = Origin::Derived(Box::new(Derived { pem: certificate.pem(), params, key }));
        Ok(Self { origin, serial_key })
    }

    /// One that was made elsewhere; the serial numbers of its leaves still come from a seed.
    pub fn brought(issuer: &'a imports::Issuer, deriver: &Deriver) -> Self {
        Self { origin: Origin::Brought(issuer), serial_key: deriver.purpose_key(Purpose::Serial) }
    }

    /// The CA certificate in PEM.
    pub fn pem(&self) -> &str {
        match &self.origin {
            Origin::Derived(own) => &own.pem,
            Origin::Brought(issuer) => &issuer.pem,
        }
    }

    /// What stands behind its leaves, in PEM; empty for a CA that signed itself.
    pub fn chain(&self) -> &str {
        match &self.origin {
            Origin::Derived(_) => "",
            Origin::Brought(issuer) => &issuer.chain,
        }
    }

    /// The CA's key; none when it stays elsewhere.
    pub fn key(&self) -> Option<&PrivateKey> {
        match &self.origin {
            Origin::Derived(own) => Some(&own.key),
            Origin::Brought(issuer) => issuer.key.as_ref(),
        }
    }

    /// DER of the CA's `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`KeyError::Encode`].
    pub fn spki(&self) -> Result<Vec<u8>, KeyError> {
        match &self.origin {
            Origin::Derived(own) => own.key.spki_der(),
            Origin::Brought(issuer) => Ok(issuer.spki.clone()),
        }
    }

    /// Issues a leaf certificate, in PEM, with its chain behind it.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn issue(&self, plan: &CertPlan, key: &PrivateKey) -> Result<String, CertificateError> {
        match &self.origin {
            Origin::Derived(own) => own.issue(&self.serial_key, plan, key),
            Origin::Brought(issuer) => {
                let signer = issuer.key.as_ref().ok_or(CertificateError::NoKey { row: plan.row.id })?;
                Ok(brought::issue(issuer, signer, &self.serial_key, plan, key)? + &issuer.chain)
            }
        }
    }
}

impl Derived {
    fn issue(
        &self,
        serial_key: &[u8; 32],
        plan: &CertPlan,
        key: &PrivateKey,
    ) -> Result<String, CertificateError> {
        let mut params = params(plan, key)?;
        let tbs = to_be_signed(
            &self.key,
            |signer| params.signed_by(key, &Issuer::from_params(&self.params, signer)).map(drop),
            plan,
        )?;
        params.serial_number = Some(serial(serial_key, &tbs)?);
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(key, &issuer).map_err(|source| library(plan, source))?;
        Ok(certificate.pem())
    }
}

impl std::fmt::Debug for Authority<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}

pub(super) fn library(plan: &CertPlan, source: rcgen::Error) -> CertificateError {
    CertificateError::Library { row: plan.row.id, cn: plan.cn.clone(), source }
}

/// Parameters with serial number 1.
pub(super) fn params(plan: &CertPlan, key: &PrivateKey) -> Result<CertificateParams, CertificateError> {
    let authority = matches!(plan.row.kind, Kind::Authority(_));
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from(1_u64));
    params.not_before = date(plan, plan.not_before)?;
    params.not_after = date(plan, plan.not_after)?;
    params.distinguished_name = DistinguishedName::new();
    for (attribute, text) in &plan.subject {
        push(&mut params.distinguished_name, *attribute, text).map_err(|source| library(plan, source))?;
    }
    params.distinguished_name.push(DnType::CommonName, plan.cn.as_str());
    params.subject_alt_names = sans(plan)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if leaf_usages(plan.algorithm).contains(&"keyEncipherment") {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    params.is_ca = IsCa::ExplicitNoCa;
    if authority {
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params.extended_key_usages = plan.row.eku.iter().map(|eku| purpose(*eku)).collect();
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.key_identifier());
    params.use_authority_key_identifier_extension = !authority;
    Ok(params)
}

fn push(name: &mut DistinguishedName, attribute: Attribute, text: &str) -> Result<(), rcgen::Error> {
    let kind = match attribute {
        // X.520: a PrintableString
        Attribute::C => {
            name.push(DnType::CountryName, DnValue::PrintableString(text.try_into()?));
            return Ok(());
        }
        Attribute::St => DnType::StateOrProvinceName,
        Attribute::L => DnType::LocalityName,
        Attribute::O => DnType::OrganizationName,
        Attribute::Ou => DnType::OrganizationalUnitName,
    };
    name.push(kind, text);
    Ok(())
}

fn date(plan: &CertPlan, seconds: i64) -> Result<OffsetDateTime, CertificateError> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| CertificateError::Date { row: plan.row.id })
}

fn sans(plan: &CertPlan) -> Result<Vec<SanType>, CertificateError> {
    let dns = plan.dns.iter().map(|name| {
        let name = name.as_str().try_into().map_err(|source| library(plan, source))?;
        Ok(SanType::DnsName(name))
    });
    dns.chain(plan.ips.iter().map(|ip| Ok(SanType::IpAddress(*ip)))).collect()
}

fn purpose(eku: Eku) -> ExtendedKeyUsagePurpose {
    match eku {
        Eku::ServerAuth => ExtendedKeyUsagePurpose::ServerAuth,
        Eku::ClientAuth => ExtendedKeyUsagePurpose::ClientAuth,
    }
}

/// The first 16 bytes of HMAC-SHA-256 over the certificate to be signed with serial 1, the top two
/// bits set to 01: positive, and always 16 bytes long (RFC 5280 section 4.1.2.2).
pub(super) fn serial(key: &[u8; 32], tbs: &[u8]) -> Result<SerialNumber, CertificateError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| CertificateError::Serial)?;
    mac.update(tbs);
    let mut bytes: Vec<u8> = mac.finalize().into_bytes().iter().take(16).copied().collect();
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x3f) | 0x40;
    }
    Ok(SerialNumber::from(bytes))
}

/// Records what it is asked to sign; signs nothing.
pub(super) struct Recorder<'a> {
    key: &'a PrivateKey,
    message: RefCell<Vec<u8>>,
}

impl PublicKeyData for Recorder<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.key.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.key.algorithm()
    }
}

impl rcgen::SigningKey for Recorder<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        *self.message.borrow_mut() = message.to_vec();
        Ok(Vec::new())
    }
}

pub(super) fn to_be_signed(
    signer: &PrivateKey,
    sign: impl FnOnce(&Recorder<'_>) -> Result<(), rcgen::Error>,
    plan: &CertPlan,
) -> Result<Vec<u8>, CertificateError> {
    let recorder = Recorder { key: signer, message: RefCell::default() };
    sign(&recorder).map_err(|source| library(plan, source))?;
    Ok(recorder.message.into_inner())
}
