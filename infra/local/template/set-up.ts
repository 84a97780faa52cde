import type { Identity } from './resolve.ts'
import { HANDLERS, WITHOUT_LOCAL_MEANING } from './resource-types.ts'
import type { Template } from './schema.ts'
import { arn, generatedName, type Site, unsupported } from './site.ts'

/**
 * Sets up what the template asks for, kind by kind. What is not supported is noted in `site.unsupported`.
 *
 * @param identities where `site.references` looks; filled on the way
 * @throws LocalStackError when a supported resource cannot be set up
 */
export async function setUp(
  template: Template,
  site: Site,
  identities: Map<string, Identity>,
): Promise<void> {
  const resources = Object.entries(template.Resources)
  for (const [logicalId, resource] of resources) {
    if (HANDLERS.has(resource.Type)) continue
    const known = WITHOUT_LOCAL_MEANING.has(resource.Type)
    if (!known) unsupported(site, logicalId, resource)
    // Others may still refer to it.
    identities.set(logicalId, standIn(logicalId, resource.Type))
  }
  for (const [type, handle] of HANDLERS) {
    for (const [logicalId, resource] of resources) {
      if (resource.Type !== type) continue
      if (resource.Condition !== undefined) {
        unsupported(site, logicalId, resource, `condition ${resource.Condition}, taken for true`)
      }
      identities.set(logicalId, await handle(logicalId, resource, site))
    }
  }
}

function standIn(logicalId: string, type: string): Identity {
  const service = type.split('::')[1]?.toLowerCase() ?? 'local'
  return { ref: generatedName(logicalId), attributes: { Arn: arn(service, logicalId) } }
}
