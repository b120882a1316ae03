import { inXml } from '../words.ts';
import { bootName, commandOf, startFlags, markOf, type BootOrder } from './order.ts';

/** A property list of launchd.plist(5). Without AbandonProcessGroup launchd ends the services of a supervisor that died. */
export function launchdPlist(order: BootOrder): string {
  const words = commandOf(order, 'start', ...startFlags(order)).map((word) => `    <string>${inXml(word)}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by sysg boot install, which writes it anew when it is called again. -->
<!-- ${markOf(order)} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${inXml(bootName(order))}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${inXml(order.searchPath)}</string>
    <key>SYSG_KEEPER</key>
    <string>launchd</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>AbandonProcessGroup</key>
  <true/>
  <key>ExitTimeOut</key>
  <integer>${order.stopSeconds}</integer>
</dict>
</plist>
`;
}
