// Peer is both ends of a TLS connection with client certificates, on Go's own crypto/tls.
//
// `peer visit` reads visits in JSON from standard input and tells how each went. It sends whatever
// bytes it is given as certificates, with whatever key, which OpenSSL's clients refuse to do.
//
// `peer serve` is a server that wants a client certificate of a CA, one of the judges. With
// `-names=false` it asks for signatures alone, and so applies no name constraints.
package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"time"
)

const patience = 10 * time.Second

// Visit is a request with these certificates, in DER and leaf first; none, if there is no chain.
// With a claim, the key passes for one on P-256, of which Go's client chooses how to sign.
type Visit struct {
	Address string   `json:"address"`
	Path    string   `json:"path"`
	Version string   `json:"version"`
	Chain   [][]byte `json:"chain"`
	Key     string   `json:"key"`
	Claim   bool     `json:"claim"`
}

// claimant signs with one key and shows another as its own.
type claimant struct {
	crypto.Signer
	shown crypto.PublicKey
}

func (one claimant) Public() crypto.PublicKey { return one.shown }

var title = regexp.MustCompile(`<title>(.*?)</title>`)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(2)
	}
}

func run(arguments []string) error {
	if len(arguments) == 1 && arguments[0] == "visit" {
		return visitAll()
	}
	if len(arguments) > 0 && arguments[0] == "serve" {
		return serve(arguments[1:])
	}
	return errors.New("visit or serve")
}

func visitAll() error {
	var visits []Visit
	if err := json.NewDecoder(os.Stdin).Decode(&visits); err != nil {
		return err
	}
	outcomes := make([]string, 0, len(visits))
	for _, one := range visits {
		outcome, err := visit(one)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, outcome)
	}
	return json.NewEncoder(os.Stdout).Encode(outcomes)
}

// visit says what was answered: the status and the page's title, or the TLS alert.
func visit(one Visit) (string, error) {
	configuration, err := client(one)
	if err != nil {
		return "", err
	}
	plain, err := net.DialTimeout("tcp", one.Address, patience)
	if err != nil {
		return "", err
	}
	defer plain.Close()
	if err := plain.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	connection := tls.Client(plain, configuration)
	// With TLS 1.3 the server judges after the client's part of the handshake is over.
	if _, err := fmt.Fprintf(connection, "GET %s HTTP/1.0\r\n\r\n", one.Path); err != nil {
		return refusal(err), nil
	}
	reader := bufio.NewReader(connection)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return refusal(err), nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil && len(body) == 0 {
		return refusal(err), nil
	}
	if found := title.FindSubmatch(body); answer.StatusCode != 200 && found != nil {
		return string(found[1]), nil
	}
	return answer.Status, nil
}

func client(one Visit) (*tls.Config, error) {
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[one.Version]
	presented := &tls.Certificate{}
	if len(one.Chain) > 0 {
		block, _ := pem.Decode([]byte(one.Key))
		if block == nil {
			return nil, errors.New("the key is no PEM")
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		signer := key.(crypto.Signer)
		if one.Claim {
			other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return nil, err
			}
			signer = claimant{signer, other.Public()}
		}
		presented = &tls.Certificate{Certificate: one.Chain, PrivateKey: signer}
	}
	return &tls.Config{
		InsecureSkipVerify: true, // the server is not who is judged here
		MinVersion:         version,
		MaxVersion:         version,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return presented, nil
		},
	}, nil
}

// refusal names the alert; a connection that ends without one was cut off.
func refusal(err error) string {
	var alert tls.AlertError
	if errors.As(err, &alert) {
		return "alert: " + alert.Error()[len("tls: "):]
	}
	var failed *net.OpError
	if errors.As(err, &failed) && failed.Op == "remote error" {
		return "alert: " + failed.Err.Error()[len("tls: "):]
	}
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return "no answer"
	}
	return "cut off"
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	address := flags.String("address", "", "host and port to listen on")
	pair := flags.String("certificate", "", "file with the server's certificate and key in PEM")
	authority := flags.String("authority", "", "file with the CA's certificate in PEM")
	names := flags.Bool("names", true, "apply name constraints, and what else RFC 5280 asks for")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	own, err := tls.LoadX509KeyPair(*pair, *pair)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*authority)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return errors.New("the file holds no CA")
	}
	configuration := &tls.Config{
		Certificates: []tls.Certificate{own},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
	}
	if !*names {
		block, _ := pem.Decode(text)
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		configuration.ClientAuth = tls.RequireAnyClientCert
		configuration.VerifyConnection = func(state tls.ConnectionState) error {
			return signedUpTo(state.PeerCertificates, root)
		}
	}
	listener, err := tls.Listen("tcp", *address, configuration)
	if err != nil {
		return err
	}
	page := http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		io.WriteString(answer, "admitted")
	})
	server := &http.Server{Handler: page, ReadTimeout: patience, WriteTimeout: patience}
	return server.Serve(listener)
}

// signedUpTo follows signatures from the first certificate to the root, and looks at nothing else.
func signedUpTo(chain []*x509.Certificate, root *x509.Certificate) error {
	for place, certificate := range chain {
		issuer := root
		if place+1 < len(chain) {
			issuer = chain[place+1]
		}
		if err := certificate.CheckSignatureFrom(issuer); err != nil {
			return err
		}
	}
	return nil
}
