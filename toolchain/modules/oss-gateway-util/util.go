// Package util is empty: the OSS gateway is left out of this provider build.
package util
