/** Which records of the table's stream come to this context: deliveries that nobody has tried. */
export const DELIVERIES_FILTER = {
  dynamodb: { NewImage: { entity: { S: ['webhook-delivery'] }, fresh: { BOOL: [{ exists: true }] } } },
}
