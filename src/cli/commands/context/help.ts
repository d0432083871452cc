/** What `--docker` takes, for the help of `create` and `update`. */
export const dockerFlagHelp = `Docker endpoint config:

NAME                DESCRIPTION
from                Take over the endpoint of the context named
host                Where the daemon listens
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Do not verify the daemon's certificate

Example:

  context create there --docker "host=tcp://there:2376,ca=~/ca.pem,cert=~/cert.pem,key=~/key.pem"`;
