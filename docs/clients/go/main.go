// go run . FOLDER NAME URL, with the folder that `make client NAME=… DIR=…` wrote.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

func main() {
	folder, name, url := os.Args[1], os.Args[2], os.Args[3]
	passPhrase := strings.TrimRight(string(read(folder, "passphrase.txt")), "\n")
	key, own, above, err := pkcs12.DecodeChain(read(folder, name+".p12"), passPhrase)
	if err != nil {
		log.Fatal(err)
	}
	presented := tls.Certificate{PrivateKey: key}
	for _, certificate := range append([]*x509.Certificate{own}, above...) {
		presented.Certificate = append(presented.Certificate, certificate.Raw)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(read(folder, "ca.crt"))
	configuration := &tls.Config{RootCAs: trusted}
	configuration.Certificates = []tls.Certificate{presented}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: configuration}}
	answer, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(body))
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status)
	}
}

func read(folder, file string) []byte {
	content, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		log.Fatal(err)
	}
	return content
}
