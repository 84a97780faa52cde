import type { ContextName, contexts } from '../routes.ts'

type OperationId = { [Context in ContextName]: keyof (typeof contexts)[Context] & string }[ContextName]

// The names alone: the table itself would bring every contract into this function. A name that is missing here, or is
// none in the table, does not compile.
const names: Readonly<Record<OperationId, true>> = {
  createToken: true,
  listTokens: true,
  rotateToken: true,
  revokeToken: true,

  publishRelease: true,
  listReleases: true,
  withdrawRelease: true,
  getUpgrades: true,

  getEntitlements: true,
  explain: true,
  evaluateFlags: true,
  evaluateFlag: true,

  checkOut: true,
  heartbeat: true,
  checkIn: true,
  borrow: true,
  joinQueue: true,
  pingTicket: true,
  cancelTicket: true,
  claimTicket: true,
  listPools: true,
  releaseLease: true,

  createProduct: true,
  listProducts: true,
  getProduct: true,
  editProduct: true,
  archiveProduct: true,
  createPlan: true,
  listPlans: true,
  getPlan: true,
  editPlan: true,
  archivePlan: true,

  createTenant: true,
  listTenants: true,
  getTenant: true,
  editTenant: true,
  archiveTenant: true,
  getOverview: true,
  listEvents: true,
  listVendorEvents: true,

  issueLicense: true,
  listLicenses: true,
  importLicenses: true,
  getLicense: true,
  editLicense: true,
  getLicenseFile: true,
  suspendLicense: true,
  reinstateLicense: true,
  revokeLicense: true,
  renewLicense: true,
  rotateLicenseKey: true,
  revealLicenseKey: true,
  requestTransfer: true,
  takeUpTransfer: true,
  listTenantTransfers: true,
  listTransfers: true,
  getTransfer: true,
  approveTransfer: true,
  refuseTransfer: true,
  cancelTransfer: true,
  collectTransfer: true,

  listInstalls: true,
  uploadLicense: true,
  deleteInstall: true,
  refreshInstalls: true,
  getInstallUsage: true,

  validateLicense: true,

  activateMachine: true,
  beatActivation: true,
  activateOffline: true,
  listActivations: true,
  deactivateMachine: true,
  moveActivation: true,
  resetActivations: true,

  recordUsage: true,
  correctUsage: true,
  listUsageCorrections: true,
  getUsage: true,

  createOrganization: true,
  listOrganizations: true,
  getOrganization: true,
  editOrganization: true,
  archiveOrganization: true,
  createUser: true,
  listUsers: true,
  getUser: true,
  editUser: true,
  archiveUser: true,
  restoreUser: true,
  reportActivity: true,

  getSeats: true,
  getSeatPolicy: true,
  editSeatPolicy: true,
  assignSeat: true,
  revokeSeat: true,
  pinSeat: true,
  listPendingSeats: true,
  listExcessSeats: true,
  listReservations: true,
  reserveSeats: true,

  getJwks: true,

  getHealth: true,
  getOpenApi: true,
}

/** Every operation of the API, for the scopes of tokens. */
export const OPERATION_IDS: ReadonlySet<string> = new Set(Object.keys(names))
