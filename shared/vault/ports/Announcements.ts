import type { Announcement } from '../announcement.ts'

/** Where the vault tells the world that a file is ready, or was refused. */
export interface Announcements {
  /**
   * Resolves when the announcement is kept by whoever passes it on.
   * @throws HtsvaultError ANNOUNCEMENT_FAILED
   */
  announce(announcement: Announcement): Promise<void>
}
