/** Servers that speak first: OpenSSH, OpenSMTPD, Dovecot, vsftpd. Each is left as its protocol has it, and says so in its log. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Server } from './server.js';

export const openssh: Server = {
  name: 'OpenSSH',
  programs: ['sshd', 'ssh-keygen'],
  start(stage) {
    const directory = stage.directory('sshd');
    const key = path.join(directory, 'key');
    stage.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    // Where it keeps nothing, on purpose.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    const file = stage.write(
      directory,
      'settings',
      `ListenAddress 127.0.0.1\nListenAddress ::1\nHostKey ${key}\nPidFile none\nUsePAM no\nLogLevel VERBOSE\n`,
    );
    return stage.start(directory, '/usr/sbin/sshd', ['-D', '-e', '-f', file]);
  },
  up: [
    ['ssh://127.0.0.1', 'ok'],
    ['ssh://[::1]', 'ok'],
  ],
  rude: [
    ['banner://127.0.0.1:22/SSH-2.0', 'ok'],
    ['banner://127.0.0.1:22//^SSH-2\\.0-OpenSSH_[0-9]/', 'ok'],
    ['banner://127.0.0.1:22/220', 'banner-mismatch'],
    ['smtp://127.0.0.1:22', 'banner-mismatch'],
    ['tcp://127.0.0.1:22 { expect_match "^SSH-" }', 'ok'],
  ],
  down: [['ssh://127.0.0.1', 'refused']],
  complaints: /reset by|kex_exchange_identification|invalid format|Bad protocol|Timeout before/i,
  farewells: { pattern: /Connection closed by .*\[preauth\]/, least: 3 },
};

export const opensmtpd: Server = {
  name: 'OpenSMTPD',
  programs: ['smtpd'],
  start(stage) {
    const directory = stage.directory('smtpd');
    stage.write(directory, 'aliases', 'root: nobody\n');
    const file = stage.write(
      directory,
      'settings',
      `table aliases file:${directory}/aliases
listen on 127.0.0.1 port 25 hostname mail.test
action "deliver" mbox alias <aliases>
match for local action "deliver"
`,
    );
    return stage.start(directory, '/usr/sbin/smtpd', ['-d', '-f', file]);
  },
  up: [
    ['smtp://127.0.0.1', 'ok'],
    [
      'tcp://127.0.0.1:25 { expect "220 " send "EHLO check.test\\r\\n" expect_match "^250 " send "QUIT\\r\\n" expect "221 " }',
      'ok',
    ],
    [
      'tcp://127.0.0.1:25 { expect "220 " send "NONSENSE\\r\\n" expect "250 " receive_timeout 500ms }',
      'timeout-receive',
    ],
    ['banner://127.0.0.1:25/220', 'ok'],
  ],
  rude: [['imap://127.0.0.1:25', 'banner-mismatch']],
  down: [['smtp://127.0.0.1', 'refused']],
  complaints: /warn: (?!purge_task)|fatal:/,
  farewells: { pattern: /disconnected reason=quit/, least: 2 },
};

export const dovecot: Server = {
  name: 'Dovecot',
  programs: ['dovecot'],
  start(stage, certificates) {
    const directory = stage.directory('dovecot');
    const { certificate, key } = certificates.of('good.test');
    const file = stage.write(
      directory,
      'settings',
      `base_dir = /run/dovecot
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${certificate}
ssl_key = <${key}
auth_debug = no
mail_location = maildir:${directory}/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${directory}
}
service imap-login {
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3s {
    port = 995
    ssl = yes
  }
}
`,
    );
    return stage.start(directory, '/usr/sbin/dovecot', ['-F', '-c', file]);
  },
  up: [
    ['imap://127.0.0.1', 'ok'],
    ['pop3://127.0.0.1', 'ok'],
    ['pop3://127.0.0.1:143', 'banner-mismatch'],
    ['imap://127.0.0.1:110', 'banner-mismatch'],
    [
      'tls://good.test:993 { ca %CA% expect "* OK" send "a NOOP\\r\\n" expect "a OK" send "b LOGOUT\\r\\n" expect "* BYE" }',
      'ok',
    ],
    [
      'tls://good.test:995 { ca %CA% expect "+OK" send "USER x\\r\\n" expect "+OK" send "QUIT\\r\\n" expect "+OK" }',
      'ok',
    ],
    ['tls://good.test:995 { expect "+OK" }', 'tls-untrusted'],
  ],
  down: [
    ['imap://127.0.0.1', 'refused'],
    ['pop3://127.0.0.1', 'refused'],
  ],
  complaints: /Error|Fatal|Panic|Warning/,
  farewells: { pattern: /imap-login: .*(logging out|Logged out)/, least: 1 },
};

export const vsftpd: Server = {
  name: 'vsftpd',
  programs: ['vsftpd'],
  start(stage) {
    const directory = stage.directory('vsftpd');
    mkdirSync('/run/vsftpd/empty', { recursive: true });
    const file = stage.write(
      directory,
      'settings',
      `listen=YES
background=NO
anonymous_enable=YES
local_enable=NO
xferlog_enable=YES
log_ftp_protocol=YES
vsftpd_log_file=${directory}/log
secure_chroot_dir=/run/vsftpd/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
`,
    );
    return stage.start(directory, '/usr/sbin/vsftpd', [file]);
  },
  up: [
    ['ftp://127.0.0.1', 'ok'],
    [
      'tcp://127.0.0.1:21 { expect "220 " send "USER anonymous\\r\\n" expect "331 " send "QUIT\\r\\n" expect "221 " }',
      'ok',
    ],
    [
      'tcp://127.0.0.1:21 { expect "220 " send "USER root\\r\\n" expect "331 " receive_timeout 500ms }',
      'timeout-receive',
    ],
    ['pop3://127.0.0.1:21', 'banner-mismatch'],
  ],
  down: [['ftp://127.0.0.1', 'refused']],
  complaints: /OOPS|ERROR/,
  farewells: { pattern: /FTP command: .*"QUIT"/, least: 2 },
};
