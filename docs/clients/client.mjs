// node client.mjs FOLDER NAME URL, with the folder that `make client NAME=… DIR=…` wrote.
import { readFileSync } from "node:fs";
import https from "node:https";

const [folder, name, url] = process.argv.slice(2);
const options = {
  ca: readFileSync(`${folder}/ca.crt`),
  pfx: readFileSync(`${folder}/${name}.p12`),
  passphrase: readFileSync(`${folder}/passphrase.txt`, "utf8").trimEnd(),
};
https.get(url, options, (answer) => {
  answer.pipe(process.stdout);
  if (answer.statusCode !== 200) process.exitCode = 1;
});
