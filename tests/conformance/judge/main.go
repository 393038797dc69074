// Judge reads a certificate or a revocation list in PEM on standard input and prints, as JSON, what
// zlint's lints of RFC 5280 and Go's own crypto/x509 have to say about it.
package main

import (
	stdx509 "crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3/lint"
	_ "github.com/zmap/zlint/v3/lints/rfc"
)

// Notice is what a lint that does not pass says.
type Notice struct {
	Lint    string `json:"lint"`
	Status  string `json:"status"`
	Details string `json:"details"`
}

// Verdict is what is printed. Applied counts the lints that looked at the document; GoError is
// empty if Go accepts it.
type Verdict struct {
	Applied int      `json:"applied"`
	Notices []Notice `json:"notices"`
	GoError string   `json:"go_error"`
}

func main() {
	authority := flag.String("authority", "", "file with the CA's certificate in PEM")
	chain := flag.String("chain", "", "file with the certificates between the two in PEM, if any")
	purpose := flag.String("purpose", "any", "client, server or any")
	host := flag.String("host", "", "DNS name or IP address that the server's certificate is for")
	flag.Parse()
	if err := run(*authority, *chain, *purpose, *host); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(2)
	}
}

func run(authority, chain, purpose, host string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("standard input holds no PEM")
	}
	issuer, err := readIssuer(authority)
	if err != nil {
		return err
	}
	between, err := readPool(chain)
	if err != nil {
		return err
	}
	verdict := Verdict{Notices: []Notice{}}
	var rejected error
	switch block.Type {
	case "CERTIFICATE":
		err = verdict.lintCertificate(block.Bytes)
		rejected = verifyCertificate(block.Bytes, issuer, between, purpose, host)
	case "X509 CRL":
		err = verdict.lintRevocationList(block.Bytes)
		rejected = verifyRevocationList(block.Bytes, issuer)
	default:
		err = fmt.Errorf("neither a certificate nor a revocation list: %s", block.Type)
	}
	if err != nil {
		return err
	}
	if rejected != nil {
		verdict.GoError = rejected.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(verdict)
}

func readIssuer(path string) (*stdx509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no PEM", path)
	}
	return stdx509.ParseCertificate(block.Bytes)
}

func readPool(path string) (*stdx509.CertPool, error) {
	pool := stdx509.NewCertPool()
	if path == "" {
		return pool, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool.AppendCertsFromPEM(text)
	return pool, nil
}

func (verdict *Verdict) lintCertificate(der []byte) error {
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	for _, one := range lint.GlobalRegistry().CertificateLints().BySource(lint.RFC5280) {
		verdict.add(one.Name, one.Execute(parsed, lint.NewEmptyConfig()))
	}
	return nil
}

func (verdict *Verdict) lintRevocationList(der []byte) error {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	for _, one := range lint.GlobalRegistry().RevocationListLints().BySource(lint.RFC5280) {
		verdict.add(one.Name, one.Execute(parsed, lint.NewEmptyConfig()))
	}
	return nil
}

func (verdict *Verdict) add(name string, result *lint.LintResult) {
	if result.Status == lint.NA || result.Status == lint.NE {
		return
	}
	verdict.Applied++
	if result.Status != lint.Pass {
		notice := Notice{name, result.Status.String(), result.Details}
		verdict.Notices = append(verdict.Notices, notice)
	}
}

func verifyCertificate(
	der []byte, issuer *stdx509.Certificate, between *stdx509.CertPool, purpose, host string,
) error {
	certificate, err := stdx509.ParseCertificate(der)
	if err != nil {
		return err
	}
	roots := stdx509.NewCertPool()
	roots.AddCert(issuer)
	usage := map[string]stdx509.ExtKeyUsage{
		"client": stdx509.ExtKeyUsageClientAuth,
		"server": stdx509.ExtKeyUsageServerAuth,
		"any":    stdx509.ExtKeyUsageAny,
	}[purpose]
	_, err = certificate.Verify(stdx509.VerifyOptions{
		Roots:         roots,
		Intermediates: between,
		DNSName:       host,
		KeyUsages:     []stdx509.ExtKeyUsage{usage},
	})
	return err
}

func verifyRevocationList(der []byte, issuer *stdx509.Certificate) error {
	list, err := stdx509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	return list.CheckSignatureFrom(issuer)
}
