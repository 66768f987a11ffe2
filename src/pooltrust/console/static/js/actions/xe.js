// The command line that does the same as a call: asked of the pool, or from this table where a pool
// can't say it.
import { call } from '../core/api.js'
import { can } from '../core/facts.js'

/** @param {string} text */
const word = text => (/^[\w.,:/@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** @param {string} host @param {string} chain */
const installing = (host, chain) => [
  'host-server-certificate-install',
  `host=${host}`,
  'certificate=FILE',
  'private-key=FILE',
  ...(chain ? ['certificate-chain=FILE'] : []),
]

/** By call: the words, from the host's UUID and the parameters. @type {Record<string, (host: string, p: any[]) => string[]>} */
export const LINES = {
  'pool.enable_tls_verification': () => ['pool-enable-tls-verification'],
  'host.reset_server_certificate': host => ['host-reset-server-certificate', `host=${host}`],
  'host.refresh_server_certificate': host => ['host-refresh-server-certificate', `host=${host}`],
  'host.install_server_certificate': (host, p) => installing(host, p[3]),
  'pooltrust.install_server_certificate': (host, p) => installing(host, p[3]),
  'pooltrust.install_requested_certificate': host => [
    'host-certificate-request-install',
    `host=${host}`,
    'certificate=FILE',
  ],
  'pooltrust.create_certificate_request': host => ['host-certificate-request-create', `host=${host}`],
  'pooltrust.discard_certificate_request': host => ['host-certificate-request-discard', `host=${host}`],
  'pooltrust.refresh_pool': () => ['pool-refresh-certificates'],
  'pooltrust.create_join_code': () => ['pool-join-code-create'],
  'pool.eject': host => ['pool-eject', `host-uuid=${host}`],
  'pool.designate_new_master': host => ['pool-designate-new-master', `host-uuid=${host}`],
  'pool.join': (_, p) => [
    'pool-join',
    `master-address=${p[0]}`,
    `master-username=${p[1]}`,
    'master-password=MASTER-PASSWORD',
  ],
  'pool.install_ca_certificate': (_, p) => ['pool-install-ca-certificate', `filename=${p[0]}`],
  'pool.uninstall_ca_certificate': (_, p) => ['pool-uninstall-ca-certificate', `name=${p[0]}`],
  'pool.crl_install': (_, p) => ['pool-crl-install', `filename=${p[0]}`],
  'pool.crl_uninstall': (_, p) => ['pool-crl-uninstall', `name=${p[0]}`],
  'pool.certificate_sync': () => ['pool-certificate-sync'],
  'pool.initialize_wlb': (_, p) => [
    'pool-initialize-wlb',
    `wlb_url=${p[0]}`,
    `wlb_username=${p[1]}`,
    'wlb_password=WLB-PASSWORD',
    `xenserver_username=${p[3]}`,
    'xenserver_password=XENSERVER-PASSWORD',
  ],
  'pool.deconfigure_wlb': () => ['pool-deconfigure-wlb'],
  'pooltrust.create_user': (_, p) => [
    'user-create',
    `name=${p[0]}`,
    `role=${p[2]}`,
    'new-password=NEW-PASSWORD',
  ],
  'pooltrust.destroy_user': (_, p) => ['user-destroy', `name=${p[0]}`],
  'pooltrust.set_password': (_, p) => ['user-password-set', `name=${p[0]}`, 'new-password=NEW-PASSWORD'],
  'pooltrust.end_session': (_, p) => ['session-end', `uuid=${p[0]}`],
  'pooltrust.resume_operation': (_, p) => ['operation-resume', `uuid=${p[0]}`],
  'pooltrust.abandon_operation': (_, p) => ['operation-abandon', `uuid=${p[0]}`],
}

/** By call: the parameters that are secrets, which are told to nobody for this. */
export const SECRETS = {
  'host.install_server_certificate': [2],
  'pooltrust.install_server_certificate': [2],
  'pool.join': [2],
  'pool.initialize_wlb': [2, 4],
  'pooltrust.create_user': [1],
  'pooltrust.set_password': [1],
  'pooltrust.join_with_code': [0],
  'session.change_password': [0, 1],
}

/** The line, from the pool itself where it says one. @param {any} place @param {string} method @param {any[]} parameters */
export async function xeLineOf(place, method, parameters) {
  const { id, address, port, user } = place.state
  const at = ['xe', '-s', address, ...(port === 443 ? [] : ['-p', String(port)]), '-u', user]
    .map(word)
    .join(' ')
  if (can(place, 'pooltrust.get_command_line')) {
    const open = parameters.map((one, n) =>
      SECRETS[method]?.includes(n) || String(one).includes('\n') ? '' : one,
    )
    const line = await call(id, 'pooltrust.get_command_line', method, JSON.stringify(open)).catch(() => '')
    if (line) return line.replace(/^xe\b/, () => at)
  }
  const line = LINES[method]
  const host = place.objects.host.get(parameters[0])?.uuid ?? ''
  return line ? [at, ...line(host, parameters).map(word)].join(' ') : ''
}
