module slb-mutual-tls/toolchain/cut

go 1.26.6
