package rpc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
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

// A certificate names the cluster that it is for by a URI, stator://CLUSTER/NODE, and a node talks to those alone whose
// certificates name the cluster of its own: an authority may sign for others as well, and a certificate for a web server is
// none for a node. The cluster's id is not known when certificates are made, so that it has a name of its own there. Who of
// the cluster a node is they do not say: a node that was broken into has what the others have.
const uriScheme = "stator"

// clusterNameBytes make the name of the cluster in the certificates of an authority.
const clusterNameBytes = 8

func clusterURI(cluster, node string) *url.URL {
	return &url.URL{Scheme: uriScheme, Host: cluster, Path: "/" + node}
}

// clusterOf is the cluster that a certificate is for, "" if it is for none.
func clusterOf(certificate *x509.Certificate) string {
	for _, uri := range certificate.URIs {
		if uri.Scheme == uriScheme {
			return uri.Host
		}
	}
	return ""
}

// NewAuthority makes the certificate that all nodes of one cluster trust, and nothing else.
func NewAuthority(now time.Time) (Pair, error) {
	name := make([]byte, clusterNameBytes)
	if _, err := rand.Read(name); err != nil {
		return Pair{}, fmt.Errorf("drawing a name for the cluster: %w", err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Stator cluster"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:  x509.KeyUsageCertSign,
		URIs:      []*url.URL{clusterURI(hex.EncodeToString(name), "")},
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
	cluster := clusterOf(parent.Leaf)
	if cluster == "" {
		return Pair{}, errors.New("reading the authority: its certificate names no cluster, so that it was not made here")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		URIs:        []*url.URL{clusterURI(cluster, name)},
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
// then show a certificate, and accept only those of that authority for the same cluster.
func LoadTLS(certificateFile, keyFile, authorityFile string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the key %s: %w", certificateFile, keyFile, err)
	}
	authority, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the authority's certificate: %w", err)
	}
	config, err := mutualTLS(pair, authority)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate %s with the authority %s: %w", certificateFile, authorityFile, err)
	}
	return config, nil
}

var (
	errNoAuthority  = errors.New("the authority's file holds no certificate (PEM)")
	errNoCluster    = errors.New("the certificate names no cluster, and any that the authority signed would do: have one made with a URI stator://CLUSTER/NODE, as 'stator cluster certs' does")
	errOtherCluster = errors.New("its certificate is not for a node of this cluster")
)

func mutualTLS(pair tls.Certificate, authority []byte) (*tls.Config, error) {
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		return nil, errNoAuthority
	}
	cluster := clusterOf(pair.Leaf)
	if cluster == "" {
		return nil, errNoCluster
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: trusted, ClientCAs: trusted,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
		VerifyConnection: func(s tls.ConnectionState) error {
			if clusterOf(s.PeerCertificates[0]) != cluster {
				return errOtherCluster
			}
			return nil
		},
	}, nil
}
