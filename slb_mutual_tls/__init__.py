"""HTTPS with mutual authentication on Alibaba Cloud's load balancer, as Pulumi components.

```python
import pulumi
from slb_mutual_tls import MutualTlsService

service = MutualTlsService("shop", {"clients": {"partner": {}}})
pulumi.export("address", service.address)
```
"""

from slb_mutual_tls.components.args import (
    BackendServersArgs,
    MutualTlsLoadBalancerArgs,
    MutualTlsServiceArgs,
    PrivateCertificateAuthorityArgs,
    ServerCertificateArgs,
)
from slb_mutual_tls.components.backend_servers import Backend, BackendServers
from slb_mutual_tls.components.clb.load_balancer import MutualTlsLoadBalancer
from slb_mutual_tls.components.clb.server_certificate import ServerCertificate
from slb_mutual_tls.components.private_ca import PrivateCertificateAuthority
from slb_mutual_tls.components.service import MutualTlsService

__all__ = [
    "Backend",
    "BackendServers",
    "BackendServersArgs",
    "MutualTlsLoadBalancer",
    "MutualTlsLoadBalancerArgs",
    "MutualTlsService",
    "MutualTlsServiceArgs",
    "PrivateCertificateAuthority",
    "PrivateCertificateAuthorityArgs",
    "ServerCertificate",
    "ServerCertificateArgs",
]
