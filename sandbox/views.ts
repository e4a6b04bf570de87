import type { Platform, TokenEvent } from "./platform.ts";
import type { RoleType, SandboxUser, SubAccount } from "./seed.ts";

// The vendor's own shapes, every field of the schemas in test/data/openapi-excerpt.json that an answer can carry.

const DAY = 86_400_000;
const CREATED = Date.UTC(2023, 2, 14, 9, 26, 53);
const ENDS = Date.UTC(2038, 0, 1);

/** A point in time as the vendor's `DateTime`: a Joda-Time object written out field by field, in UTC. */
function dateTimeView(millis: number, now: number): Record<string, unknown> {
  const date = new Date(millis);
  const year = date.getUTCFullYear();
  const startOfDay = Date.UTC(year, date.getUTCMonth(), date.getUTCDate());
  const dayOfWeek = date.getUTCDay() === 0 ? 7 : date.getUTCDay();
  const thursday = startOfDay + (4 - dayOfWeek) * DAY;
  const weekyear = new Date(thursday).getUTCFullYear();
  const millisOfDay = millis - startOfDay;
  const zone = { fixed: true, id: "UTC" };
  return {
    afterNow: millis > now,
    beforeNow: millis < now,
    centuryOfEra: Math.floor(year / 100),
    chronology: { zone },
    dayOfMonth: date.getUTCDate(),
    dayOfWeek,
    dayOfYear: Math.floor((startOfDay - Date.UTC(year, 0, 1)) / DAY) + 1,
    equalNow: millis === now,
    era: 1,
    hourOfDay: date.getUTCHours(),
    millis,
    millisOfDay,
    millisOfSecond: date.getUTCMilliseconds(),
    minuteOfDay: Math.floor(millisOfDay / 60_000),
    minuteOfHour: date.getUTCMinutes(),
    monthOfYear: date.getUTCMonth() + 1,
    secondOfDay: Math.floor(millisOfDay / 1000),
    secondOfMinute: date.getUTCSeconds(),
    weekOfWeekyear: Math.floor((thursday - Date.UTC(weekyear, 0, 1)) / (7 * DAY)) + 1,
    weekyear,
    year,
    yearOfCentury: year % 100,
    yearOfEra: year,
    zone,
  };
}

/** A sub-account as the vendor's `Account`, the secret fields included. */
export function accountView(account: SubAccount, platform: Platform, now: number): Record<string, unknown> {
  const { crmPwd, ftpPwd, securityKey, phoneRecordingPin } = platform.accountSecrets(account.accountId);
  return {
    accountId: account.accountId,
    accountName: account.accountName,
    amdDefaultProfile: 0,
    archivedAccount: false,
    audioRetentionDays: 90,
    concurrentLogins: 250,
    crmHost: "crm.example.com",
    crmInstance: "prod",
    crmPwd,
    crmUid: `crm-${account.accountId}`,
    dataRetentionDays: 730,
    databaseShardId: "shard-07",
    defaultCallerid: "6505550100",
    defaultHold: "hold_default",
    defaultIntellidialServerId: 12,
    defaultOutdialServerGroupId: 4,
    dncOrgId: `DNC${account.accountId}`,
    dncOrgIdConfirmed: true,
    emailFromAddress: "no-reply@example.com",
    enable247Dialing: false,
    enableAgentRankRouting: true,
    enableAmdProfiles: false,
    enableBlankCallerid: false,
    enableCallEventTracking: true,
    enableCellScrubbing: true,
    enableCentralizedData: true,
    enableChat: true,
    enableCloudRouting: true,
    enableCorporateDirectory: false,
    enableCrmExport: true,
    enableFifo: false,
    enableFolderMode: false,
    enableForceLegacy: false,
    enableGoodData: true,
    enableHciDialer: false,
    enableInbound: true,
    enableIntlOutbound: false,
    enableListLoading: true,
    enableMultiuser: true,
    enableOutbound: true,
    enableOutboundPredictive: true,
    enableScheduledTasks: true,
    enableSoftphones: true,
    enableTaskMode: false,
    enableTcpaSafeMachineDetect: true,
    enableTracking: true,
    enableVisualIvr: true,
    enableVoiceBroadcast: false,
    endDate: dateTimeView(ENDS, now),
    ftpHost: "ftp.example.com",
    ftpPwd,
    ftpUid: `ftp-${account.accountId}`,
    ivrAppsEnabled: true,
    mainAccount: {
      dataRetentionDays: 730,
      enableAmdProfiles: false,
      enableConsultCall: true,
      enablePhoneNumbersI18n: true,
      engageAccountId: `99${account.mainAccountId}`,
      isActive: 1,
      mainAccountId: account.mainAccountId,
      mainAccountName: account.mainAccountName,
      rcAccountId: `40${account.mainAccountId}`,
    },
    mainAccountId: account.mainAccountId,
    mainAccountName: account.mainAccountName,
    maxBreakTime: 15,
    maxLunchTime: 60,
    maxOutPortsPerAgent: 3,
    minimumSec: 6,
    notificationEmail: "ops@example.com",
    offHookHold: "",
    offHookWhisper: "",
    offHookWhisperGhost: "",
    offhookCallerid: "6505550101",
    outboundManualDefaultRingtime: 30,
    outboundPrepay: false,
    overrideDispositions: 0,
    pciCompliance: true,
    pciComplianceRequest: false,
    phoneRecordingPin,
    primaryTimezone: 1,
    rcAccountAccess: "ENABLED",
    recordingAccessMode: "RIGHTS_DOC",
    recordingFilenameFormat: "{accountId}-{uii}",
    recordingsDelivery: "WAV",
    rounding: 6,
    securityKey,
    softphoneHost: "softphone.example.com",
    softphoneWsdl: "https://softphone.example.com/wsdl",
    startDate: dateTimeView(CREATED, now),
    tcpaSafeMode: false,
    usePowerBy: false,
    weekOffset: 0,
    wfmType: "NONE",
  };
}

/** A sub-account as the vendor's `AccountView`, the smaller shape inside `UserLoginView`. */
function accountSummary(account: SubAccount): Record<string, unknown> {
  return {
    accountId: account.accountId,
    accountName: account.accountName,
    databaseShardId: "shard-07",
    defaultIntellidialServerId: 12,
    defaultOutdialServerGroupId: 4,
    emailFromAddress: "no-reply@example.com",
    enable247Dialing: false,
    enableAgentRankRouting: true,
    enableAmdProfiles: false,
    enableChat: true,
    enableCloudRouting: true,
    enableFifo: false,
    enableFolderMode: false,
    enableGoodData: true,
    enableHciDialer: false,
    enableInbound: true,
    enableMultiUser: true,
    enableOutbound: true,
    enableSoftphones: true,
    enableTaskMode: false,
    enableTcpaSafeMachineDetect: true,
    enableTracking: true,
    enableVisualIvr: true,
    enableVoiceBroadcast: false,
    engageAccountId: `99${account.mainAccountId}`,
    ivrAppsEnabled: true,
    mainAccountId: account.mainAccountId,
    mainAccountName: account.mainAccountName,
    outboundPrepay: false,
    rcAccountAccess: "ENABLED",
    rcAccountId: `40${account.mainAccountId}`,
    tcpaSafeMode: false,
    usePowerBy: false,
  };
}

const ROLE_DESCRIPTIONS: Record<RoleType, string> = {
  SUPER_USER: "Super user",
  MANAGE_USERS: "Manage users",
  ACCESS_AUDIT_LOG: "Audit log access",
  USER: "User",
  NO_ACCESS: "No access",
};

/** A user as the vendor's `User`. `children` are nested views, already filtered by the caller. */
export function userView(
  user: SandboxUser,
  children: readonly Record<string, unknown>[],
  now: number,
): Record<string, unknown> {
  return {
    children,
    creationDate: dateTimeView(CREATED, now),
    enabled: user.enabled,
    firstName: user.firstName,
    fullName: `${user.firstName} ${user.lastName}`,
    lastName: user.lastName,
    parentPath: user.parent === null ? "/" : `/${user.parent}/`,
    phoneNumber: "6505550102",
    phoneNumberE164: "+16505550102",
    phoneNumbersI18nEnabled: true,
    rcAccountId: `40${user.mainAccountId}`,
    rcUserId: 222_222_000_000 + user.userId,
    regionalSettings: {
      formattingLocale: "en-US",
      greetingLanguage: "en-US",
      homeCountry: 1,
      homeCountryCode: "US",
      language: "en-US",
      timeFormat: "12h",
      timezone: 58,
    },
    roles: user.roles.map((roleType) => ({ description: ROLE_DESCRIPTIONS[roleType], roleType })),
    rootUser: user.parent === null,
    userId: user.userId,
    userManagedByRC: false,
    userName: user.username,
  };
}

/** The vendor's `UserLoginView`. `authToken` is a live legacy token, as secret as a password. */
export function userLoginView(
  user: SandboxUser,
  authToken: string,
  platformHost: string,
  now: number,
): Record<string, unknown> {
  return { user: userView(user, [], now), accounts: user.accounts.map(accountSummary), authToken, platformHost };
}

/** The vendor's `AuditLog`, seen from `accountId`. `authUser` has no user when nobody was signed in. */
export function auditLogView(event: TokenEvent, accountId: string, now: number): Record<string, unknown> {
  const { actor } = event;
  return {
    accountId,
    actionType: event.action,
    affectedEntityJson: JSON.stringify({ apiToken: event.hint, userName: event.owner.username }),
    auditLogResultList: [
      {
        attributeName: "apiToken",
        classType: "java.lang.String",
        newValue: { hint: event.action === "CREATE" ? event.hint : "" },
        originalValue: { hint: event.action === "DELETE" ? event.hint : "" },
      },
    ],
    auditedEntityDescription: { userName: event.owner.username },
    auditedEntityId: { id: event.digest },
    authUser:
      actor === null
        ? { firstName: "", fullJson: "{}", lastName: "", sourceId: "", userId: "", userName: "anonymousUser" }
        : {
            firstName: actor.firstName,
            fullJson: JSON.stringify({ userId: actor.userId }),
            lastName: actor.lastName,
            sourceId: String(actor.userId),
            userId: String(actor.userId),
            userName: actor.username,
          },
    createTime: event.at,
    createTimeAsDateTime: dateTimeView(event.at, now),
    description: `${event.action === "CREATE" ? "Created" : "Deleted"} ApiToken of ${event.owner.username}`,
    id: event.id,
  };
}
