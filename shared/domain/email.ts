import * as z from 'zod'

/** RFC 5321: a path has 256 characters at most, two of which are its brackets. */
export const Email = z.email().max(254)

/** What addresses are compared and found by: they are the same whatever their case. */
export const emailKey = (email: string): string => email.toLowerCase()

/** The address in `Ada <ada@example.edu>`, or in the address alone. */
export const addressIn = (text: string): string => (/<([^<>]+)>\s*$/.exec(text)?.[1] ?? text).trim()
