/**
 * Spot instances that are taken back: two minutes before, their workers are told to put their work down. ECS drains such an
 * instance, but its guide does not say whether it stops a task that is protected; so the instance tells them itself.
 */
import type { UserData } from "aws-cdk-lib/aws-ec2";

const file = "/usr/local/bin/millrace-spot-notice";

/** Again and again, as ECS may start another worker before it has heard of the notice. */
export const spotNoticeScript = `#!/bin/bash
metadata=http://169.254.169.254/latest
while sleep 5; do
  token=$(curl -sf -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $metadata/api/token) || continue
  curl -sf -m 2 -o /dev/null -H "X-aws-ec2-metadata-token: $token" $metadata/meta-data/spot/instance-action || continue
  docker ps -q --filter label=com.amazonaws.ecs.container-name=worker | xargs -r docker kill --signal TERM
done
`;

export function heedSpotNotices(userData: UserData): void {
  userData.addCommands(
    `cat > ${file} << 'END'\n${spotNoticeScript}END`,
    `systemd-run --no-block --unit millrace-spot-notice --property Restart=always bash ${file}`,
    // Before it is gone nothing new is to begin there, and what waits elsewhere is to take its place.
    "echo ECS_ENABLE_SPOT_INSTANCE_DRAINING=true >> /etc/ecs/ecs.config",
  );
}
