package rpc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// How long certificates are good for. A node's is renewed by making another from the same authority.
const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	nodeLifetime      = 2 * 365 * 24 * time.Hour
	// clockSkewMax lets a certificate be used at once where the clock is a little behind.
	clockSkewMax = time.Hour
)

// Pair is a certificate with its key, both PEM.
type Pair struct{ Certificate, Key []byte }

// NewAuthority makes the certificate that all nodes of one cluster trust, and nothing else.
func NewAuthority(now time.Time) (Pair, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Stator cluster"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:  x509.KeyUsageCertSign,
		NotBefore: now.Add(-clockSkewMax), NotAfter: now.Add(authorityLifetime),
	}
	return sign(template, nil)
}

// NewCertificate makes a node's certificate, for both ends of a connection. The hosts are the names and addresses under
// which other nodes reach it.
func (authority Pair) NewCertificate(now time.Time, name string, hosts ...string) (Pair, error) {
	parent, err := tls.X509KeyPair(authority.Certificate, authority.Key)
	if err != nil {
		return Pair{}, fmt.Errorf("reading the authority: %w", err)
	}
	if !parent.Leaf.IsCA {
		return Pair{}, errors.New("reading the authority: its certificate is not an authority's")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   now.Add(-clockSkewMax), NotAfter: now.Add(nodeLifetime),
	}
	if template.NotAfter.After(parent.Leaf.NotAfter) {
		template.NotAfter = parent.Leaf.NotAfter
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return sign(template, &parent)
}

// serialBits make serial numbers that nobody has to count.
const serialBits = 127

// sign completes a certificate with a new key. Without a parent it signs itself.
func sign(template *x509.Certificate, parent *tls.Certificate) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("making a key: %w", err)
	}
	template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return Pair{}, fmt.Errorf("drawing a serial number: %w", err)
	}
	issuer, signer := template, any(key)
	if parent != nil {
		issuer, signer = parent.Leaf, parent.PrivateKey
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("signing a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("writing a key: %w", err)
	}
	return Pair{
		Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		Key:         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, nil
}

// LoadTLS reads a node's certificate, its key and the authority's certificate from files. Both sides of a connection
// then show a certificate, and accept only those of that authority.
func LoadTLS(certificateFile, keyFile, authorityFile string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w", certificateFile, keyFile, err)
	}
	authority, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority's certificate: %w", err)
	}
	return mutualTLS(pair, authority, authorityFile)
}

func mutualTLS(pair tls.Certificate, authority []byte, from string) (*tls.Config, error) {
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate (PEM)", from)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: trusted, ClientCAs: trusted,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}
