// A program in TypeScript, with the SDK that `pulumi package add` makes of ../../../../package.

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/slb-mutual-tls";

const service = new tls.MutualTlsService("partner-api", {
    certificateAuthority: { subject: { commonName: "Partner CA" } },
    clients: { partner: { validity: "90d", passPhrase: pulumi.secret("correct horse battery") } },
    backends: { count: 1 },
    tags: { owner: pulumi.output("edge") },
});

export const address = service.address;
export const caCertificate = service.caCertificate;
export const clientBundles = service.clientBundles;
